package scan

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/scan/page"
)

// forms are the kinds of files that -o writes, by their ending.
var forms = map[string]func(io.Writer, *Scans) error{
	".json":  func(w io.Writer, s *Scans) error { return report.JSON(w, s) },
	".sarif": writeSARIF,
	".xml":   writeJUnit,
	".csv":   writeCSV,
	".html":  writePage,
}

// form finds what writes a file.
func form(name string) (func(io.Writer, *Scans) error, error) {
	f := forms[strings.ToLower(filepath.Ext(name))]
	if f == nil {
		return nil, report.Usagef("-o %s: the ending says what is written; choose one of %s", name, strings.Join(slices.Sorted(maps.Keys(forms)), " "))
	}
	return f, nil
}

func (o *options) save(s *Scans) error {
	write, err := form(o.out)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := write(&b, s); err != nil {
		return err
	}
	if err := os.WriteFile(o.out, b.Bytes(), 0o644); err != nil {
		return report.Unwritable("-o", err)
	}
	return nil
}

func writePage(w io.Writer, s *Scans) error {
	p := page.Page{Policy: s.policy}
	for i, r := range s.Reports {
		x := page.Server{Report: r}
		if i < len(s.Judged) {
			j := s.Judged[i]
			x.Differences, x.Changes, x.New = j.Differences, j.Changes, j.New
		}
		p.Servers = append(p.Servers, x)
	}
	return page.Write(w, p)
}
