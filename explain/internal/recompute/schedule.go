package recompute

import (
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// A Function is how a value of a key schedule is computed.
type Function string

const (
	Given       Function = "" // not computed: an input of the schedule
	Extract     Function = "HKDF-Extract"
	ExpandLabel Function = "HKDF-Expand-Label"
	HMAC        Function = "HMAC"
	PRF         Function = "PRF"
	Mix         Function = "MD5 and SHA-1" // of SSL 3.0, RFC 6101 §6.1
	Nested      Function = "nested hashes" // of SSL 3.0, RFC 6101 §5.6.9
	Join        Function = "join"          // each after its length, RFC 4279 §2
	Zeros       Function = "zeros"         // as many as the pre-shared key has bytes, RFC 4279 §2
)

// An Input is what a function is applied to, besides its secret.
type Input uint8

const (
	NoInput          Input = iota
	KeyMaterial            // the secret that From names; else a pre-shared key, or zeros
	EmptyHash              // the hash of the empty string
	TranscriptHash         // the hash of the handshake as far as UpTo says
	Randoms                // client_random + server_random
	RandomsReversed        // server_random + client_random
	TicketNonce            // the nonce of a NewSessionTicket
	InnerRandom            // the random of the encrypted ClientHello
	ConfirmedHash          // the hash up to the ServerHello, its confirmation zero
	ImportedIdentity       // the hash of an identity in the ClientHello, RFC 9258 §5.1
)

// A Rule is how an RFC derives one value from others, which it names.
type Rule struct {
	Function Function
	From     string // the secret, or for Join the last part
	Salt     string // of Extract; for Join the first part
	Label    string
	Sender   string // of Nested
	Input    Input
	UpTo     Boundary // of TranscriptHash
	Size     int      // in bytes; 0 is the hash's length, AnySize the suite's matter
	Ref      string
}

// AnySize is for a value whose length the suite decides.
const AnySize = -1

// RuleFor finds the rule for the value of that name, in a version and with a key
// exchange. label tells the two ways to a master secret apart: with the extended
// one's it is that.
func RuleFor(v wire.Version, k wire.KeyExchange, name, label string) (Rule, bool) {
	if v >= wire.TLS13 {
		return rule13(name, label)
	}
	if r, ok := premasters[name]; ok {
		switch {
		case name == "premaster_secret" && k.PSK():
			r = joined
		case name == "other_secret" && k == wire.KeyExchangePSK:
			r = zeros
		case r.Ref == "":
			r.Ref = refsOf[v].premaster
		}
		return r, true
	}
	if name == "master_secret" && label == extendedMaster.Label {
		return extendedMaster, true
	}
	r, ok := oldSchedules[v][name]
	return r, ok
}

// rule13 is RuleFor of TLS 1.3. The traffic secrets after a KeyUpdate are
// numbered, each made from the one before. RFC 8446 §7.2.
func rule13(name, label string) (Rule, bool) {
	if r, ok := ofPSK(name, label); ok {
		return r, true
	}
	if r, ok := schedule13[name]; ok {
		return r, true
	}
	if r, ok := hidden[name+"/"+label]; ok {
		return r, true
	}
	for _, side := range []wire.Role{wire.Client, wire.Server} {
		digits, ok := strings.CutPrefix(name, trafficSecret(side))
		if n, err := strconv.Atoi(digits); ok && err == nil && n >= 1 {
			return Rule{Function: ExpandLabel, From: TrafficSecret(side, n-1), Label: "traffic upd", Ref: "RFC 8446 §7.2"}, true
		}
	}
	return Rule{}, false
}

// ofPSK is the rule of what belongs to one pre-shared key of several: those after the first
// have their number behind their names. The label says where a key is from: a ticket, or
// something outside TLS, as it is or imported. RFC 8446 §7.1, RFC 9258 §5.
func ofPSK(name, label string) (Rule, bool) {
	base, number := name, ""
	if at := strings.LastIndexByte(name, '_'); at > 0 {
		if n, err := strconv.Atoi(name[at+1:]); err == nil && n > 0 {
			base, number = name[:at], name[at:]
		}
	}
	var r Rule
	switch {
	case base == "psk" && label == "derived psk":
		r = Rule{Function: ExpandLabel, From: "import_secret", Label: label, Input: ImportedIdentity, Size: AnySize, Ref: "RFC 9258 §5.1"}
	case base == "binder_key" && (label == "ext binder" || label == "imp binder"):
		r = schedule13[base]
		r.Label = label
	case base == "import_secret":
		r = Rule{Function: Extract, From: "external_psk", Input: KeyMaterial, Ref: "RFC 9258 §5.1"}
	case base == "external_psk":
		return Rule{Ref: "RFC 9258 §3"}, true
	case number != "" && (base == "psk" || base == "early_secret" || base == "binder_key"):
		r = schedule13[base]
	default:
		return Rule{}, false
	}
	if number != "" && r.From != "" {
		r.From += number
	}
	return r, true
}

// TrafficSecret is the name of a side's application traffic secret after n
// KeyUpdates.
func TrafficSecret(side wire.Role, n int) string { return trafficSecret(side) + strconv.Itoa(n) }

func trafficSecret(side wire.Role) string { return side.String() + "_application_traffic_secret_" }

// schedule13 is the key schedule of TLS 1.3. RFC 8446 §7.1.
var schedule13 = map[string]Rule{
	"psk":           {Ref: "RFC 8446 §4.6.1"},
	"shared_secret": {Ref: "RFC 8446 §7.4"},
	"early_secret":  {Function: Extract, Input: KeyMaterial, Ref: "RFC 8446 §7.1"},
	"binder_key":    {Function: ExpandLabel, From: "early_secret", Label: "res binder", Input: EmptyHash, Ref: "RFC 8446 §4.2.11.2"},
	"client_early_traffic_secret": {Function: ExpandLabel, From: "early_secret", Label: "c e traffic", Input: TranscriptHash,
		UpTo: through(wire.TypeClientHello, wire.Client), Ref: "RFC 8446 §7.1"},
	"early_exporter_master_secret": {Function: ExpandLabel, From: "early_secret", Label: "e exp master", Input: TranscriptHash,
		UpTo: through(wire.TypeClientHello, wire.Client), Ref: "RFC 8446 §7.5"},
	"derived_early":    {Function: ExpandLabel, From: "early_secret", Label: "derived", Input: EmptyHash, Ref: "RFC 8446 §7.1"},
	"handshake_secret": {Function: Extract, Salt: "derived_early", From: "shared_secret", Input: KeyMaterial, Ref: "RFC 8446 §7.1"},
	"client_handshake_traffic_secret": {Function: ExpandLabel, From: "handshake_secret", Label: "c hs traffic", Input: TranscriptHash,
		UpTo: through(wire.TypeServerHello, wire.Server), Ref: "RFC 8446 §7.1"},
	"server_handshake_traffic_secret": {Function: ExpandLabel, From: "handshake_secret", Label: "s hs traffic", Input: TranscriptHash,
		UpTo: through(wire.TypeServerHello, wire.Server), Ref: "RFC 8446 §7.1"},
	"client_finished_key": {Function: ExpandLabel, From: "client_handshake_traffic_secret", Label: "finished", Ref: "RFC 8446 §4.4.4"},
	"server_finished_key": {Function: ExpandLabel, From: "server_handshake_traffic_secret", Label: "finished", Ref: "RFC 8446 §4.4.4"},
	"client_verify_data": {Function: HMAC, From: "client_finished_key", Input: TranscriptHash,
		UpTo: before(wire.TypeFinished, wire.Client), Ref: "RFC 8446 §4.4.4"},
	"server_verify_data": {Function: HMAC, From: "server_finished_key", Input: TranscriptHash,
		UpTo: before(wire.TypeFinished, wire.Server), Ref: "RFC 8446 §4.4.4"},
	"derived_handshake": {Function: ExpandLabel, From: "handshake_secret", Label: "derived", Input: EmptyHash, Ref: "RFC 8446 §7.1"},
	"master_secret":     {Function: Extract, Salt: "derived_handshake", Input: KeyMaterial, Ref: "RFC 8446 §7.1"},
	"client_application_traffic_secret_0": {Function: ExpandLabel, From: "master_secret", Label: "c ap traffic", Input: TranscriptHash,
		UpTo: through(wire.TypeFinished, wire.Server), Ref: "RFC 8446 §7.1"},
	"server_application_traffic_secret_0": {Function: ExpandLabel, From: "master_secret", Label: "s ap traffic", Input: TranscriptHash,
		UpTo: through(wire.TypeFinished, wire.Server), Ref: "RFC 8446 §7.1"},
	"exporter_master_secret": {Function: ExpandLabel, From: "master_secret", Label: "exp master", Input: TranscriptHash,
		UpTo: through(wire.TypeFinished, wire.Server), Ref: "RFC 8446 §7.5"},
	"resumption_master_secret": {Function: ExpandLabel, From: "master_secret", Label: "res master", Input: TranscriptHash,
		UpTo: through(wire.TypeFinished, wire.Client), Ref: "RFC 8446 §4.6.1"},
	"resumption_psk": {Function: ExpandLabel, From: "resumption_master_secret", Label: "resumption", Input: TicketNonce, Ref: "RFC 8446 §4.6.1"},
}

// hidden are the values of Encrypted Client Hello, by name and label. RFC 9849 §7.2.
var hidden = map[string]Rule{
	"ech_shared_secret/":    {Ref: "RFC 9849 §6.1"},
	"ech_confirmation_key/": {Function: Extract, Input: InnerRandom, Ref: "RFC 9849 §7.2"},
	"ech_accept_confirmation/ech accept confirmation": {Function: ExpandLabel, From: "ech_confirmation_key", Label: "ech accept confirmation",
		Input: ConfirmedHash, Size: wire.ECHConfirmationLen, Ref: "RFC 9849 §7.2"},
	"ech_accept_confirmation/hrr ech accept confirmation": {Function: ExpandLabel, From: "ech_confirmation_key", Label: "hrr ech accept confirmation",
		Input: ConfirmedHash, Size: wire.ECHConfirmationLen, Ref: "RFC 9849 §7.2.1"},
}

// refs are where a version up to TLS 1.2 has its key schedule.
type refs struct{ premaster, master, keys, finished string }

var refsOf = map[wire.Version]refs{
	wire.SSL30: {"RFC 6101 §6.1", "RFC 6101 §6.1", "RFC 6101 §6.2.2", "RFC 6101 §5.6.9"},
	wire.TLS10: {"RFC 2246 §8.1", "RFC 2246 §8.1", "RFC 2246 §6.3", "RFC 2246 §7.4.9"},
	wire.TLS11: {"RFC 4346 §8.1", "RFC 4346 §8.1", "RFC 4346 §6.3", "RFC 4346 §7.4.9"},
	wire.TLS12: {"RFC 5246 §8.1", "RFC 5246 §8.1", "RFC 5246 §6.3", "RFC 5246 §7.4.9"},
}

// premasters are the rules for what goes into the key schedule up to TLS 1.2.
var premasters = map[string]Rule{
	"premaster_secret": {},
	"psk":              {Ref: "RFC 4279 §2"},
	"other_secret":     {Ref: "RFC 4279 §2"},
}

// The rules where a pre-shared key is part of the exchange.
var (
	joined = Rule{Function: Join, From: "psk", Salt: "other_secret", Ref: "RFC 4279 §2"}
	zeros  = Rule{Function: Zeros, Ref: "RFC 4279 §2"}
)

// extendedMaster is the other way to a master secret: by the label they differ.
var extendedMaster = Rule{Function: PRF, From: "premaster_secret", Label: "extended master secret", Input: TranscriptHash, Size: 48,
	UpTo: through(wire.TypeClientKeyExchange, wire.Client), Ref: "RFC 7627 §4"}

// oldSchedules are the key schedules up to TLS 1.2.
var oldSchedules = func() map[wire.Version]map[string]Rule {
	all := map[wire.Version]map[string]Rule{}
	for v := range refsOf {
		all[v] = oldSchedule(v)
	}
	return all
}()

// oldSchedule is the key schedule of a version up to TLS 1.2; SSL 3.0 has the
// same values, by functions of its own and without labels.
func oldSchedule(v wire.Version) map[string]Rule {
	at := refsOf[v]
	master := Rule{Function: PRF, From: "premaster_secret", Label: "master secret", Input: Randoms, Size: 48, Ref: at.master}
	block := Rule{Function: PRF, From: "master_secret", Label: "key expansion", Input: RandomsReversed, Size: AnySize, Ref: at.keys}
	finished := func(side wire.Role, sender string) Rule {
		r := Rule{Function: PRF, From: "master_secret", Label: side.String() + " finished", Input: TranscriptHash, Size: 12,
			UpTo: before(wire.TypeFinished, side), Ref: at.finished}
		if v == wire.SSL30 {
			r.Function, r.Label, r.Sender, r.Size = Nested, "", sender, MD5SHA1.Size
		}
		return r
	}
	if v == wire.SSL30 {
		master.Function, master.Label = Mix, ""
		block.Function, block.Label = Mix, ""
	}
	return map[string]Rule{
		"master_secret":      master,
		"key_block":          block,
		"client_verify_data": finished(wire.Client, "CLNT"),
		"server_verify_data": finished(wire.Server, "SRVR"),
	}
}
