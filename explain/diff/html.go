package diff

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"

	"github.com/vitrine-tls/vitrine/explain/page"
)

var (
	//go:embed page.html
	pageSource string
	//go:embed page.css
	pageStyle string
)

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// HTML writes the difference as one page that needs nothing else, in the colours of the page
// of an account, light or dark as the browser prefers. The error is that of w.
func (d *Difference) HTML(w io.Writer) error {
	style := page.Tokens() + pageStyle
	hash := sha256.Sum256([]byte(style))
	return pageTemplate.Execute(w, struct {
		Style  template.CSS
		Policy string
		A, B   string
		Same   bool
		Groups []group
		Timing []pageRow
	}{
		Style: template.CSS(style), // our own
		Policy: "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-" +
			base64.StdEncoding.EncodeToString(hash[:]) + "'",
		A: d.A.words(), B: d.B.words(), Same: d.Same, Groups: d.groups(), Timing: d.times(),
	})
}

// group are the entries of one place.
type group struct {
	Where string
	Rows  []pageRow
}

// pageRow is one thing, on both sides.
type pageRow struct {
	What string
	A, B []pageValue
	// Order is set where the two sides have it in another order.
	Order bool
}

// pageValue is one value; Only is set where the other side lacks it.
type pageValue struct {
	Text string
	Only bool
}

func (d *Difference) groups() (all []group) {
	for _, e := range d.Entries {
		if len(all) == 0 || all[len(all)-1].Where != e.Where {
			all = append(all, group{Where: e.Where})
		}
		last := &all[len(all)-1]
		row := pageRow{What: e.What, Order: e.Order}
		if e.List && len(e.A) > 0 && len(e.B) > 0 {
			row.A, row.B = marked(e.A, e.OnlyA), marked(e.B, e.OnlyB)
		} else {
			row.A, row.B = marked(e.A, e.A), marked(e.B, e.B)
		}
		last.Rows = append(last.Rows, row)
	}
	return all
}

// marked marks those of a list that the other side lacks.
func marked(list, only []string) (values []pageValue) {
	left := map[string]int{}
	for _, v := range only {
		left[v]++
	}
	for _, v := range list {
		left[v]--
		values = append(values, pageValue{printable(v), left[v] >= 0})
	}
	return values
}

func (d *Difference) times() (rows []pageRow) {
	for _, t := range d.Timing {
		rows = append(rows, pageRow{What: t.What, A: []pageValue{{Text: t.words(t.A)}}, B: []pageValue{{Text: t.words(t.B)}}})
	}
	return rows
}
