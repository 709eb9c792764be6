// Package words turns the words of a configuration, "tls1.2" or "x25519", into what package
// tls takes.
package words

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/internal/vocabulary"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Agreement is what a side agrees to. Its fields are those of config.Versions.
type Agreement struct {
	Min, Max                        string
	Suites, Groups, SigAlgs, Legacy []string
}

// Apply sets in c what a says. An error begins with the name of the field that is wrong.
func (a Agreement) Apply(c *tls.Config) error {
	for _, step := range []struct {
		field string
		apply func(*tls.Config) error
	}{{"legacy", a.legacy}, {"min", a.min}, {"max", a.max}, {"suites", a.suites}, {"groups", a.groups}, {"sigalgs", a.sigAlgs}} {
		if err := step.apply(c); err != nil {
			return fmt.Errorf("%s: %w", step.field, err)
		}
	}
	return nil
}

func (a Agreement) legacy(c *tls.Config) error {
	for _, word := range a.Legacy {
		if err := vocabulary.Legacy(&c.Legacy, word); err != nil {
			return err
		}
	}
	return nil
}

// consent errs where c lacks a switch for what was named, and says how to set it.
func consent(c *tls.Config, suites []*suite.Suite, schemes []tls.SignatureScheme, low wire.Version) (err error) {
	vocabulary.Needs(suites, schemes, low, false, func(why string, fields ...string) {
		if off := vocabulary.Missing(&c.Legacy, fields); len(off) > 0 && err == nil {
			err = fmt.Errorf("%s; if you must, add %s to legacy", why, strings.Join(vocabulary.LegacyWords(off), ", "))
		}
	})
	return err
}

func (a Agreement) min(c *tls.Config) error {
	low := wire.TLS12
	if a.Min != "" {
		v, err := vocabulary.Version(a.Min)
		if err != nil {
			return err
		}
		low = v
	} else if top, err := vocabulary.Version(a.Max); err == nil { // to name a version is to allow it
		low = min(low, top)
	}
	c.MinVersion = uint16(low)
	return consent(c, nil, nil, low)
}

func (a Agreement) max(c *tls.Config) error {
	c.MaxVersion = tls.VersionTLS13
	if a.Max != "" {
		v, err := vocabulary.Version(a.Max)
		if err != nil {
			return err
		}
		c.MaxVersion = uint16(v)
	}
	if c.MinVersion > c.MaxVersion {
		return fmt.Errorf("%q is below min, %q; swap them", a.Max, a.Min)
	}
	return nil
}

// suites also leaves versions out that have none of them, where min and max do not name them.
func (a Agreement) suites(c *tls.Config) error {
	var list []*suite.Suite
	for _, name := range a.Suites {
		s, err := vocabulary.Suite(name)
		if err != nil {
			return err
		}
		if err := consent(c, []*suite.Suite{s}, nil, 0); err != nil {
			return err
		}
		list = append(list, s)
		c.CipherSuites = append(c.CipherSuites, uint16(s.ID))
	}
	if len(list) == 0 {
		return nil
	}
	has := func(v uint16) bool {
		return slices.ContainsFunc(list, func(s *suite.Suite) bool { return s.Allows(wire.Version(v)) })
	}
	for a.Max == "" && c.MaxVersion > c.MinVersion && !has(c.MaxVersion) {
		c.MaxVersion--
	}
	for a.Min == "" && c.MinVersion < c.MaxVersion && !has(c.MinVersion) {
		c.MinVersion++
	}
	for v := c.MinVersion; !has(v); v++ {
		if v >= c.MaxVersion {
			return fmt.Errorf("no suite here is for a version from min to max; add one that is, or change min and max")
		}
	}
	return nil
}

func (a Agreement) groups(c *tls.Config) error {
	for _, name := range a.Groups {
		g, err := vocabulary.Group(name)
		if err != nil {
			return err
		}
		c.CurvePreferences = append(c.CurvePreferences, g)
	}
	return nil
}

func (a Agreement) sigAlgs(c *tls.Config) error {
	for _, name := range a.SigAlgs {
		s, err := vocabulary.Schemes(name)
		if err != nil {
			return err
		}
		c.SignatureSchemes = append(c.SignatureSchemes, s...)
	}
	return consent(c, nil, c.SignatureSchemes, 0)
}

// AddPSK lets a server with pre-shared keys use them. Unless c lists suites for them, all
// that need no switch come before the others: a client that offers one has a key. alone says
// that there is no certificate; then c has no other suites up to TLS 1.2.
func AddPSK(c *tls.Config, alone bool) {
	var shared, others []uint16
	for _, s := range suite.All() {
		id := uint16(s.ID)
		switch {
		case s.KeyExchange.PSK():
			if slices.Contains(c.CipherSuites, id) {
				return
			}
			if len(s.Switches) == 0 && !(alone && s.KeyExchange.Certificate()) {
				shared = append(shared, id)
			}
		case s.Default:
			others = append(others, id)
		}
	}
	if len(c.CipherSuites) > 0 {
		others = c.CipherSuites
	}
	c.CipherSuites = append(shared, others...)
	if alone {
		c.CipherSuites = shared
	}
}
