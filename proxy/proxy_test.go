package proxy

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

// Bytes go both ways in every direction of TLS, many of them, and each side may end first.
func TestDirections(t *testing.T) {
	authority := onePKI()
	plain := backend(t, nil, echo)
	secure := backend(t, &tls.Config{Certificates: []tls.Certificate{authority.pair(t, "backend.test")}}, echo)
	toSecure := &config.ClientTLS{CA: authority.folder + "/ca.pem", Name: "backend.test"}
	for name, c := range map[string]struct {
		listener config.Listener
		target   config.Target
		client   *tls.Config
	}{
		"TLS in, plain out":      {config.Listener{TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{plain}}, authority.client("front.test")},
		"plain in, TLS out":      {config.Listener{}, config.Target{Addresses: []string{secure}, TLS: toSecure}, nil},
		"TLS in, TLS out":        {config.Listener{TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{secure}, TLS: toSecure}, authority.client("front.test")},
		"plain in, plain out":    {config.Listener{}, config.Target{Addresses: []string{plain}}, nil},
		"TLS passed through":     {config.Listener{Routes: []config.Route{{Names: []string{"backend.test"}, Passthrough: true, Target: "t"}}}, config.Target{Addresses: []string{secure}}, authority.client("backend.test")},
		"through a plain tunnel": {config.Listener{}, config.Target{Addresses: []string{secure}}, authority.client("backend.test")},
	} {
		t.Run(name, func(t *testing.T) {
			_, address := begin(t, at(c.listener, c.target))
			for _, size := range []int{0, 1, 5_000, 3_000_000} {
				data := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
				if err := roundTrip(dial(t, address, c.client), data); err != nil {
					t.Errorf("%d bytes: %v", size, err)
				}
			}
		})
	}
}
