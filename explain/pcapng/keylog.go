package pcapng

import (
	"bytes"
	"fmt"

	"github.com/vitrine-tls/vitrine/explain"
)

// labels are those of a key log, by the RFC's name of the secret. RFC 9850 §2.
var labels = map[string]string{
	"master_secret":                       "CLIENT_RANDOM",
	"client_early_traffic_secret":         "CLIENT_EARLY_TRAFFIC_SECRET",
	"early_exporter_master_secret":        "EARLY_EXPORTER_SECRET",
	"client_handshake_traffic_secret":     "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
	"server_handshake_traffic_secret":     "SERVER_HANDSHAKE_TRAFFIC_SECRET",
	"client_application_traffic_secret_0": "CLIENT_TRAFFIC_SECRET_0",
	"server_application_traffic_secret_0": "SERVER_TRAFFIC_SECRET_0",
	"exporter_master_secret":              "EXPORTER_SECRET",
}

// keyLog is the key log of a connection: a line for each secret, by the random of the
// hello before it, or of the one inside that which counts. In TLS 1.3 that is the first hello's,
// which a second one repeats.
func keyLog(c *explain.Connection) (log []byte) {
	var random, outer explain.Hex
	for _, e := range c.Events {
		if m := e.Message; m != nil && (m.Name == "ClientHello" || m.Name == "ClientHelloOuter") {
			random = randomOf(m)
			if outer = random; m.InnerCounts {
				random = randomOf(m.Inner)
			}
		}
		s := e.Secret
		switch {
		case s == nil || len(s.Value) == 0 || len(random) == 0:
		case s.Name == "ech_shared_secret":
			log = append(log, concealed(s, outer)...)
		case labels[s.Name] != "" && !isOther(s):
			log = fmt.Appendf(log, "%s %x %x\n", labels[s.Name], []byte(random), []byte(s.Value))
		}
	}
	return log
}

// concealed are the lines by which the inner hello opens, named by the random of the outer one.
// RFC 9850 §2.3.
func concealed(s *explain.Secret, outer explain.Hex) []byte {
	config, found := bytes.CutPrefix(s.Input, []byte("tls ech\x00"))
	if !found {
		return nil
	}
	return fmt.Appendf(nil, "ECH_SECRET %x %x\nECH_CONFIG %x %x\n", []byte(outer), []byte(s.Value), []byte(outer), config)
}

// isOther reports the master secret of TLS 1.3, which has another meaning than that of
// the versions before.
func isOther(s *explain.Secret) bool { return s.Name == "master_secret" && s.How == "HKDF-Extract" }

// randomOf is the client's random: of a hello in the format of SSL 2.0 the challenge, with
// zeros before it. RFC 5246 §E.2.
func randomOf(m *explain.Message) explain.Hex {
	for _, f := range m.Fields {
		switch {
		case f.Group:
		case f.Name == "random":
			return f.Bytes
		case f.Name == "challenge" && len(f.Bytes) <= 32:
			return append(make(explain.Hex, 32-len(f.Bytes)), f.Bytes...)
		}
	}
	return nil
}
