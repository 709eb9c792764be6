package negative

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Compile reports the defects that cannot be applied to the module at root, or do
// not compile. It builds many in one go, parallel of those at a time.
func Compile(ctx context.Context, root string, defects []Defect, parallel int) error {
	var mutex sync.Mutex
	var errs []error
	check := func(d *Defect) error {
		err := d.compiles(ctx, root)
		if err != nil && len(d.joined) == 0 {
			mutex.Lock()
			defer mutex.Unlock()
			errs = append(errs, fmt.Errorf("%s: %q: %w", d.Layer, d.Name, err))
		}
		return err
	}
	Each(join(root, defects), parallel, func(d *Defect) {
		if check(d) != nil {
			for i := range d.joined {
				check(&d.joined[i])
			}
		}
	})
	return errors.Join(errs...)
}

func (d *Defect) compiles(ctx context.Context, root string) error {
	return d.with(root, func(overlay string) error {
		out, err := command(ctx, root, append([]string{"build", "-overlay", overlay}, d.packages()...)...)
		if err != nil {
			return fmt.Errorf("it does not compile: %w\n%s", err, out)
		}
		return nil
	})
}

// most is how many defects are compiled together.
const most = 16

// join makes one of defects of a layer whose changes can be made together. One
// that cannot be made at all stays alone.
func join(root string, defects []Defect) (list []Defect) {
	for _, d := range defects {
		i := slices.IndexFunc(list, func(have Defect) bool {
			both := Defect{Edits: slices.Concat(have.Edits, d.Edits)}
			_, err := both.apply(root)
			return have.Layer == d.Layer && len(have.joined) < most && err == nil
		})
		if i < 0 {
			list = append(list, Defect{Layer: d.Layer, Edits: d.Edits, joined: []Defect{d}})
			continue
		}
		list[i].Edits = slices.Concat(list[i].Edits, d.Edits)
		list[i].joined = append(list[i].joined, d)
	}
	return list
}
