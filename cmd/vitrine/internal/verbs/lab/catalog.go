package lab

import (
	"net/http"

	"github.com/vitrine-tls/vitrine/internal/lab"
	"github.com/vitrine-tls/vitrine/internal/suite"
)

// catalog is what there is to choose from.
type catalog struct {
	Versions    []string          `json:"versions"`
	Suites      []suiteRow        `json:"suites"`
	Groups      []string          `json:"groups"`
	Legacy      []string          `json:"legacy"`
	Experiments []*lab.Experiment `json:"experiments"`
}

type suiteRow struct {
	Name string `json:"name"`
	Min  string `json:"min"`
	Max  string `json:"max"`
	// Why is why it is no default; empty for those that are.
	Why string `json:"why,omitempty"`
}

func (s *site) catalog(w http.ResponseWriter, _ *http.Request) {
	c := catalog{Legacy: lab.LegacySwitches(), Experiments: lab.Shelf}
	for _, v := range lab.Versions {
		c.Versions = append(c.Versions, v.String())
	}
	for _, row := range suite.All() {
		c.Suites = append(c.Suites, suiteRow{row.Name, row.Min.String(), row.Max.String(), row.WhyNot})
	}
	for _, g := range lab.Groups {
		c.Groups = append(c.Groups, g.String())
	}
	write(w, c)
}
