package scan

import "context"

// weaknesses looks for each.
func (x *audit) weaknesses(ctx context.Context) {}
