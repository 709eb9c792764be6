package scan

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// encryptedHello looks for Encrypted Client Hello. The hello has one that no server can open, as
// clients send it that know of no key: a server that has keys answers with its configs, for the
// next try. RFC 9849 §6.2, §7.1.
func (x *audit) encryptedHello(ctx context.Context) {
	if len(x.spoken) == 0 || x.spoken[0] < wire.TLS13 {
		return
	}
	extra, err := greaseECH()
	if err != nil {
		return
	}
	h := x.modern()
	h.Extra = append(h.Extra, extra)
	a := x.do(ctx, Probe{Name: "Encrypted Client Hello", Hello: h, Until: Flight})
	const feature = "Encrypted Client Hello"
	switch {
	case a == nil:
	case a.Version < wire.TLS13 || a.End != Reached:
		x.set(feature, notAnswered)
	case !a.Has(wire.ExtEncryptedClientHello):
		x.set(feature, "no configs are offered")
	default:
		x.set(feature, configsOf(a))
	}
}

// configsOf says what the server publishes.
func configsOf(a *Answer) string {
	var configs []wire.ECHConfig
	if _, err := a.Extensions.Read(wire.ExtEncryptedClientHello, func(r *wire.Reader) { configs = wire.ReadECHRetryConfigs(r) }); err != nil {
		return "its configs do not parse: " + err.Error()
	}
	var all []string
	for _, c := range configs {
		if c.Known() {
			all = append(all, fmt.Sprintf("config %d, behind the name %q", c.ConfigID, short(string(c.PublicName))))
		} else {
			all = append(all, fmt.Sprintf("a config of an unknown version (%04x)", c.Version))
		}
	}
	return "yes: " + strings.Join(all, "; ")
}

// greaseECH is an extension that nobody can tell from one with a hello inside.
func greaseECH() (wire.Extension, error) {
	key, err := kex.Generate(wire.GroupX25519)
	if err != nil {
		return wire.Extension{}, err
	}
	noise := make([]byte, 1+176)
	rand.Read(noise)
	fake := wire.ECHClientHello{Suite: wire.HPKESuite{KDF: wire.KDFSHA256, AEAD: wire.AEADAES128}, ConfigID: noise[0], Enc: key.Share(), Payload: noise[1:]}
	return wire.Extension{Type: wire.ExtEncryptedClientHello, Data: fake.Append(nil)}, nil
}
