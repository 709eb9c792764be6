package recompute

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// The published vector of the PRF with SHA-256.
func TestPRF12(t *testing.T) {
	secret, _ := hex.DecodeString("9bbe436ba940f017b17652849a71db35")
	seed, _ := hex.DecodeString("a0ba9f936cda311827a6f796ffd5198c")
	const want = "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
	if got := hex.EncodeToString(prf12(suite.SHA256, secret, "test label", seed, 32)); got != want {
		t.Errorf("it is %s, want %s", got, want)
	}
}

// Both implementations of the key schedules up to TLS 1.2 make the same of the
// same.
func TestOldSchedulesAgree(t *testing.T) {
	premaster, client, server := bytes.Repeat([]byte{1}, 48), bytes.Repeat([]byte{2}, 32), bytes.Repeat([]byte{3}, 32)
	messages := bytes.Repeat([]byte("message "), 100)
	for v, engine := range map[wire.Version]*keys.Schedule{wire.SSL30: keys.SSL30, wire.TLS10: keys.TLS10, wire.TLS11: keys.TLS11, wire.TLS12: keys.TLS12} {
		for _, s := range suite.All() {
			if !s.Allows(v) {
				continue
			}
			h := ScheduleHash(v, s)
			d := h.New()
			d.Write(messages)
			value := func(name, label string, secret, input []byte) []byte {
				r, ok := RuleFor(v, wire.KeyExchangeRSA, name, label)
				if !ok {
					t.Fatalf("%v has no rule for %s", v, name)
				}
				n := r.Size
				if n == AnySize {
					n = 2 * (MACLen(s) + s.Cipher.KeyLen + IVLen(v, s))
				}
				return r.Apply(v, h, Operands{Secret: secret, Input: input, Messages: messages, Size: n})
			}
			same := func(what string, ours, theirs []byte) {
				t.Helper()
				if !bytes.Equal(ours, theirs) {
					t.Errorf("%v, %s: %s is %x, and the engine's is %x", v, s.Name, what, ours, theirs)
				}
			}
			master := value("master_secret", "", premaster, slices.Concat(client, server))
			same("the master secret", master, engine.Master(engine.Hash(s), nil, premaster, client, server))
			if engine.ExtendedMaster != nil {
				same("the extended master secret", value("master_secret", "extended master secret", premaster, d.Sum(nil)),
					engine.ExtendedMaster(engine.Hash(s), nil, premaster, d.Sum(nil)))
			}
			for _, side := range []wire.Role{wire.Client, wire.Server} {
				theirs := engine.Hash(s).New()
				theirs.Write(messages)
				same(fmt.Sprint("the Finished of the ", side), value(side.String()+"_verify_data", "", master, d.Sum(nil)),
					engine.Finished(engine.Hash(s), nil, master, side, theirs))
			}
			block := KeyBlock(v, s, master, client, server)
			same("the key block", value("key_block", "", master, slices.Concat(server, client)), block)
			theirs := engine.KeyBlock(s, nil, master, client, server)
			for side, k := range map[wire.Role]Keys{wire.Client: {theirs.ClientKey, theirs.ClientIV, theirs.ClientMAC}, wire.Server: {theirs.ServerKey, theirs.ServerIV, theirs.ServerMAC}} {
				if ours := CutKeyBlock(v, s, block, side); !ours.Equal(k) {
					t.Errorf("%v, %s: the keys of the %v are %x, and the engine's are %x", v, s.Name, side, ours, k)
				}
			}
		}
	}
}
