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
	fnMix     function = "MD5 and SHA-1" // of SSL 3.0, RFC 6101 §6.1
	fnNested  function = "nested hashes" // of SSL 3.0, RFC 6101 §5.6.9
	fnJoin    function = "join"          // each after its length, RFC 4279 §2
	fnZeros   function = "zeros"
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

// refs are where a version until TLS 1.2 has its key schedule.
type refs struct{ premaster, master, keys, finished string }

var refsOf = map[wire.Version]refs{
	wire.SSL30: {"RFC 6101 §6.1", "RFC 6101 §6.1", "RFC 6101 §6.2.2", "RFC 6101 §5.6.9"},
	wire.TLS10: {"RFC 2246 §8.1", "RFC 2246 §8.1", "RFC 2246 §6.3", "RFC 2246 §7.4.9"},
	wire.TLS11: {"RFC 4346 §8.1", "RFC 4346 §8.1", "RFC 4346 §6.3", "RFC 4346 §7.4.9"},
	wire.TLS12: {"RFC 5246 §8.1", "RFC 5246 §8.1", "RFC 5246 §6.3", "RFC 5246 §7.4.9"},
}

// premasters are the rules for what goes into the key schedule until TLS 1.2:
// by the kind of key exchange.
var premasters = map[string]rule{
	"premaster_secret": {meaning: "What the key exchange gave both sides; it never was on the wire in the clear."},
	"psk":              {ref: "RFC 4279 §2", meaning: "The pre-shared key that goes with the client's identity: both sides had it before the connection."},
	"other_secret":     {ref: "RFC 4279 §2", meaning: "What the rest of the key exchange has yielded. It goes into the premaster secret beside the pre-shared key."},
}

// The rules where a pre-shared key is part of the exchange.
var (
	joined = rule{fn: fnJoin, from: "psk", salt: "other_secret", ref: "RFC 4279 §2",
		meaning: "What both sides have in common: the yield of the key exchange and the pre-shared key, each after its length."}
	zeros = rule{fn: fnZeros, ref: "RFC 4279 §2",
		meaning: "As many zeros as the pre-shared key has bytes: there is no other key exchange, so whoever gets that key later can read this connection."}
)

const (
	masterMeaning   = "The one secret of the session; a resumption starts from it."
	finishedMeaning = "s Finished must contain: it covers all that both sides have said."
)

// oldSchedule is the key schedule of a version until TLS 1.2; SSL 3.0 has the
// same values, by functions of its own and without labels.
func oldSchedule(v wire.Version) map[string]rule {
	at, fn, finished, size := refsOf[v], fnPRF, fnPRF, 12
	label := func(text string) string { return text }
	if v == wire.SSL30 {
		fn, finished, size = fnMix, fnNested, bothHashes.Size
		label = func(string) string { return "" }
	}
	return map[string]rule{
		"master_secret": {fn: fn, from: "premaster_secret", label: label("master secret"), in: inRandoms, size: 48, ref: at.master, meaning: masterMeaning},
		"key_block": {fn: fn, from: "master_secret", label: label("key expansion"), in: inRandomsRev, size: anySize, ref: at.keys,
			meaning: "Cut into the MAC keys, the keys and the IVs of both directions, in this order."},
		"client_verify_data": {fn: finished, from: "master_secret", label: label("client finished"), in: inTranscript, size: size,
			upTo: before(wire.TypeFinished, wire.Client), ref: at.finished, meaning: "What the client'" + finishedMeaning},
		"server_verify_data": {fn: finished, from: "master_secret", label: label("server finished"), in: inTranscript, size: size,
			upTo: before(wire.TypeFinished, wire.Server), ref: at.finished, meaning: "What the server'" + finishedMeaning},
	}
}

// oldSchedules are those of all versions until TLS 1.2.
var oldSchedules = func() map[wire.Version]map[string]rule {
	all := map[wire.Version]map[string]rule{}
	for v := range refsOf {
		all[v] = oldSchedule(v)
	}
	return all
}()

// extendedMaster is the other way to a master secret: by the label they differ.
var extendedMaster = rule{fn: fnPRF, from: "premaster_secret", label: "extended master secret", in: inTranscript, size: 48,
	upTo: through(wire.TypeClientKeyExchange, wire.Client), ref: "RFC 7627 §4",
	meaning: "The one secret of the session, bound to everything said so far; a resumption starts from it."}

// anySize is for a value whose length the suite decides.
const anySize = -1

// howResumed marks a value that comes from an earlier connection.
const howResumed = "resumed"

// ruleFor finds the rule for a value.
func (hs *handshake) ruleFor(s *Secret) (rule, bool) {
	if hs.version >= wire.TLS13 {
		return hs.rule13(s)
	}
	if r, ok := premasters[s.Name]; ok {
		switch {
		case s.Name == "premaster_secret" && hs.exchange.PSK():
			r = joined
		case s.Name == "other_secret" && hs.exchange == wire.KeyExchangePSK:
			r = zeros
		case r.ref == "":
			r.ref = refsOf[hs.version].premaster
		}
		return r, true
	}
	r, ok := oldSchedules[hs.version][s.Name]
	switch {
	case s.How == howResumed:
		r.fn, r.in = fnGiven, inNone
	case s.Name == "master_secret" && s.Label == extendedMaster.label:
		r = extendedMaster
	}
	return r, ok
}

// rule13 is ruleFor of TLS 1.3. The traffic secrets after a KeyUpdate are
// numbered, each made from the one before; the Finished of a client that is
// authenticated late comes from the last of them. RFC 8446 §4.4, §7.2.
func (hs *handshake) rule13(s *Secret) (rule, bool) {
	if r, ok := schedule13[s.Name]; ok {
		if hs.late && s.Name == "client_finished_key" {
			r.from = hs.current(clientTraffic)
			if s.From == clientTraffic+"_N" {
				s.From = r.from
			}
			r.meaning = "The MAC key of the client's Finished after the handshake."
		}
		return r, true
	}
	stem, digits, ok := cutLast(s.Name, "_")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || stem != clientTraffic && stem != serverTraffic {
		return rule{}, false
	}
	return rule{fn: fnExpand, from: numbered(stem, n-1), label: "traffic upd", ref: "RFC 8446 §7.2",
		meaning: "Replaces the traffic secret before it, which is forgotten: older records stay closed."}, true
}

const (
	clientTraffic = "client_application_traffic_secret"
	serverTraffic = "server_application_traffic_secret"
)

func numbered(stem string, n int) string { return stem + "_" + strconv.Itoa(n) }

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
