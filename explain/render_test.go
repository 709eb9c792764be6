package explain_test

import (
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/text"
)

func init() {
	explain.Render = func(c *explain.Connection, width int, summary bool) (string, error) {
		var out strings.Builder
		err := text.Write(&out, c, text.Options{Width: width, Summary: summary})
		return out.String(), err
	}
}
