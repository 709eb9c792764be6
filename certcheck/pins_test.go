package certcheck

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"
)

func TestPins(t *testing.T) {
	root := authority(t, "Root", nil)
	sub := authority(t, "Sub", root)
	leaf, self := server(t, sub), server(t, nil)
	expired := server(t, nil, valid(-60*day, -day))
	other := Pin{1, 2, 3}
	for _, tc := range []struct {
		name  string
		certs []*x509.Certificate
		o     Options
		rule  string // "" for accepted, "-" for an unknown authority
	}{
		{"the leaf's key", chain(leaf, sub), Options{Pins: []Pin{other, PinOf(leaf.Certificate)}}, ""},
		{"the intermediate's key", chain(leaf, sub), Options{Pins: []Pin{PinOf(sub.Certificate)}}, ""},
		{"the root's key", chain(leaf, sub), Options{Pins: []Pin{PinOf(root.Certificate)}}, ""},
		{"another key", chain(leaf, sub), Options{Pins: []Pin{other}}, "pins"},
		{"another key, and trust in what is pinned", chain(leaf, sub), Options{Pins: []Pin{other}, TrustPinned: true}, "pins"},
		{"a key that was sent, and is in no path", chain(leaf, sub, self), Options{Pins: []Pin{PinOf(self.Certificate)}, TrustPinned: true}, "pins"},
		{"its own authority, pinned", chain(self), Options{Pins: []Pin{PinOf(self.Certificate)}}, "-"},
		{"its own authority, pinned and trusted", chain(self), Options{Pins: []Pin{PinOf(self.Certificate)}, TrustPinned: true}, ""},
		{"its own authority, trusted and not pinned", chain(self), Options{TrustPinned: true}, "-"},
		{"pinned and trusted, of another name", chain(self), Options{Pins: []Pin{PinOf(self.Certificate)}, TrustPinned: true, Name: "example.org"}, "name"},
		{"pinned and trusted, and expired", chain(expired), Options{Pins: []Pin{PinOf(expired.Certificate)}, TrustPinned: true}, "valid-now"},
		{"an authority's, pinned and trusted, signs for a stranger", chain(server(t, authority(t, "Stranger", nil))), Options{Pins: []Pin{PinOf(sub.Certificate)}, TrustPinned: true}, "-"},
		{"a leaf of an unknown authority, pinned and trusted", chain(leaf), Options{Pins: []Pin{PinOf(leaf.Certificate)}, TrustPinned: true}, ""},
	} {
		tc.o.Time, tc.o.Roots = now, trust(root)
		if tc.o.Name == "" {
			tc.o.Name = "example.com"
		}
		_, err := Verify(t.Context(), tc.certs, tc.o)
		e, _ := errors.AsType[*Error](err)
		switch {
		case tc.rule == "" && err != nil,
			tc.rule == "-" && !as[x509.UnknownAuthorityError](err),
			tc.rule > "-" && (e == nil || e.Rule == nil || e.Rule.Name != tc.rule):
			t.Errorf("%s: %v, want %q", tc.name, err, tc.rule)
		}
		if v := Judge(t.Context(), tc.certs, tc.o); (v.Refused == nil) != (err == nil) {
			t.Errorf("%s: Judge says %v", tc.name, v.Refused)
		}
	}
}

func TestMaxValidity(t *testing.T) {
	root := authority(t, "Root", nil)
	leaf := server(t, root, valid(-day, 9*day)) // ten days and a second
	for limit, good := range map[time.Duration]bool{0: true, 10*day + time.Second: true, 10 * day: false, time.Hour: false} {
		_, err := Verify(t.Context(), chain(leaf), Options{Roots: trust(root), Time: now, Name: "example.com", MaxValidity: limit})
		if (err == nil) != good {
			t.Errorf("at most %v: %v", limit, err)
		}
	}
}
