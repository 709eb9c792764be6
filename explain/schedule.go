package explain

import (
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// function is how a value of the key schedule is computed.
type function string

const (
	fnGiven   function = ""
	fnExtract function = "HKDF-Extract"
	fnExpand  function = "HKDF-Expand-Label"
	fnHMAC    function = "HMAC"
	fnPRF     function = "PRF"
)

// input is what a function is applied to, besides its secret.
type input uint8

const (
	inNone       input = iota
	inKeyMat           // key material: the secret that From names, or zeros
	inEmptyHash        // the hash of the empty string
	inTranscript       // the hash of the handshake so far
	inRandoms          // client_random + server_random
	inRandomsRev       // server_random + client_random
	inNonce            // the nonce of a NewSessionTicket
)

// A rule is how the RFC derives one value. The engine's report is held against
// it, so a wrong label is found even where the engine is consistent with itself.
type rule struct {
	fn      function
	from    string
	salt    string
	label   string
	in      input
	upTo    boundary // for inTranscript
	size    int      // in bytes; 0 is the hash's length
	ref     string
	meaning string
}

// schedule13 is the key schedule of TLS 1.3. RFC 8446 §7.1.
var schedule13 = map[string]rule{
	"psk":           {ref: "RFC 8446 §4.6.1", meaning: "The key both sides kept from an earlier connection."},
	"shared_secret": {ref: "RFC 8446 §7.4", meaning: "What both sides computed from their own private and the other's public key; it never was on the wire."},
	"early_secret": {fn: fnExtract, in: inKeyMat, ref: "RFC 8446 §7.1",
		meaning: "The schedule's first stage: a pre-shared key goes in, or zeros where there is none."},
	"binder_key": {fn: fnExpand, from: "early_secret", label: "res binder", in: inEmptyHash, ref: "RFC 8446 §4.2.11.2",
		meaning: "Proves in the ClientHello that the client really has the pre-shared key."},
	"derived_early": {fn: fnExpand, from: "early_secret", label: "derived", in: inEmptyHash, ref: "RFC 8446 §7.1",
		meaning: "Carries the early stage over into the handshake stage."},
	"handshake_secret": {fn: fnExtract, salt: "derived_early", from: "shared_secret", in: inKeyMat, ref: "RFC 8446 §7.1",
		meaning: "The second stage: the fresh key exchange goes in, which makes for forward secrecy."},
	"client_handshake_traffic_secret": {fn: fnExpand, from: "handshake_secret", label: "c hs traffic", in: inTranscript,
		upTo: through(wire.TypeServerHello, wire.Server), ref: "RFC 8446 §7.1",
		meaning: "Makes the keys for the client's handshake messages."},
	"server_handshake_traffic_secret": {fn: fnExpand, from: "handshake_secret", label: "s hs traffic", in: inTranscript,
		upTo: through(wire.TypeServerHello, wire.Server), ref: "RFC 8446 §7.1",
		meaning: "Makes the keys for the server's handshake messages: certificates are out of sight from here on."},
	"client_finished_key": {fn: fnExpand, from: "client_handshake_traffic_secret", label: "finished", ref: "RFC 8446 §4.4.4",
		meaning: "The MAC key of the client's Finished."},
	"server_finished_key": {fn: fnExpand, from: "server_handshake_traffic_secret", label: "finished", ref: "RFC 8446 §4.4.4",
		meaning: "The MAC key of the server's Finished."},
	"client_verify_data": {fn: fnHMAC, from: "client_finished_key", in: inTranscript,
		upTo: before(wire.TypeFinished, wire.Client), ref: "RFC 8446 §4.4.4",
		meaning: "What the client's Finished must contain: a MAC over all that both sides have said."},
	"server_verify_data": {fn: fnHMAC, from: "server_finished_key", in: inTranscript,
		upTo: before(wire.TypeFinished, wire.Server), ref: "RFC 8446 §4.4.4",
		meaning: "What the server's Finished must contain: a MAC over all that both sides have said."},
	"derived_handshake": {fn: fnExpand, from: "handshake_secret", label: "derived", in: inEmptyHash, ref: "RFC 8446 §7.1",
		meaning: "Carries the handshake stage over into the last stage."},
	"master_secret": {fn: fnExtract, salt: "derived_handshake", in: inKeyMat, ref: "RFC 8446 §7.1",
		meaning: "The last stage: every key for application data comes from it."},
	"client_application_traffic_secret_0": {fn: fnExpand, from: "master_secret", label: "c ap traffic", in: inTranscript,
		upTo: through(wire.TypeFinished, wire.Server), ref: "RFC 8446 §7.1",
		meaning: "Makes the keys for the client's application data."},
	"server_application_traffic_secret_0": {fn: fnExpand, from: "master_secret", label: "s ap traffic", in: inTranscript,
		upTo: through(wire.TypeFinished, wire.Server), ref: "RFC 8446 §7.1",
		meaning: "Makes the keys for the server's application data."},
	"exporter_master_secret": {fn: fnExpand, from: "master_secret", label: "exp master", in: inTranscript,
		upTo: through(wire.TypeFinished, wire.Server), ref: "RFC 8446 §7.5",
		meaning: "Makes keys for the application's own use, such as channel bindings."},
	"resumption_master_secret": {fn: fnExpand, from: "master_secret", label: "res master", in: inTranscript,
		upTo: through(wire.TypeFinished, wire.Client), ref: "RFC 8446 §4.6.1",
		meaning: "Makes the pre-shared keys of later connections."},
	"resumption_psk": {fn: fnExpand, from: "resumption_master_secret", label: "resumption", in: inNonce, ref: "RFC 8446 §4.6.1",
		meaning: "The pre-shared key that goes with one ticket; its nonce makes it different from the others."},
}

// schedule12 is the key schedule of TLS 1.2. RFC 5246 §6.3, §8.1, RFC 7627 §4.
var schedule12 = map[string]rule{
	"premaster_secret": {ref: "RFC 5246 §8.1",
		meaning: "What the key exchange gave both sides; it never was on the wire in the clear."},
	"master_secret": {fn: fnPRF, from: "premaster_secret", size: 48, ref: "RFC 5246 §8.1",
		meaning: "The one secret of the session; a resumption starts from it."},
	"key_block": {fn: fnPRF, from: "master_secret", label: "key expansion", in: inRandomsRev, size: anySize, ref: "RFC 5246 §6.3",
		meaning: "Cut into the MAC keys, the keys and the IVs of both directions, in this order."},
	"client_verify_data": {fn: fnPRF, from: "master_secret", label: "client finished", in: inTranscript, size: 12,
		upTo: before(wire.TypeFinished, wire.Client), ref: "RFC 5246 §7.4.9",
		meaning: "What the client's Finished must contain: it covers all that both sides have said."},
	"server_verify_data": {fn: fnPRF, from: "master_secret", label: "server finished", in: inTranscript, size: 12,
		upTo: before(wire.TypeFinished, wire.Server), ref: "RFC 5246 §7.4.9",
		meaning: "What the server's Finished must contain: it covers all that both sides have said."},
}

// anySize is for a value whose length the suite decides.
const anySize = -1

// The two ways to a master secret in TLS 1.2: by the label alone they differ.
var masters12 = map[string]rule{
	"master secret": {fn: fnPRF, from: "premaster_secret", label: "master secret", in: inRandoms, size: 48, ref: "RFC 5246 §8.1",
		meaning: "The one secret of the session; a resumption starts from it."},
	"extended master secret": {fn: fnPRF, from: "premaster_secret", label: "extended master secret", in: inTranscript, size: 48,
		upTo: through(wire.TypeClientKeyExchange, wire.Client), ref: "RFC 7627 §4",
		meaning: "The one secret of the session, bound to everything said so far; a resumption starts from it."},
}

// howResumed marks a value that comes from an earlier connection.
const howResumed = "resumed"

// ruleFor finds the rule for a value. The traffic secrets after a KeyUpdate
// are numbered, each made from the one before. RFC 8446 §7.2.
func ruleFor(v wire.Version, s *Secret) (rule, bool) {
	if v < wire.TLS13 {
		r, ok := schedule12[s.Name]
		if m, found := masters12[s.Label]; found && s.Name == "master_secret" {
			r = m
		}
		if s.How == howResumed {
			r.fn, r.in = fnGiven, inNone
		}
		return r, ok
	}
	if r, ok := schedule13[s.Name]; ok {
		return r, true
	}
	stem, digits, ok := cutLast(s.Name, "_")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || !strings.HasSuffix(stem, "_application_traffic_secret") {
		return rule{}, false
	}
	return rule{fn: fnExpand, from: stem + "_" + strconv.Itoa(n-1), label: "traffic upd", ref: "RFC 8446 §7.2",
		meaning: "Replaces the traffic secret before it, which is forgotten: older records stay closed."}, true
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// refs are where a version has its key schedule.
type refs struct{ keys string }

func refsOf(v wire.Version) refs {
	return map[wire.Version]refs{wire.SSL30: {"RFC 6101 §6.2.2"}, wire.TLS10: {"RFC 2246 §6.3"}, wire.TLS11: {"RFC 4346 §6.3"}, wire.TLS12: {"RFC 5246 §6.3"}}[v]
}
