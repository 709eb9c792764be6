package flags

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/internal/vocabulary"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Sides are those for which a verb has flags.
type Sides uint8

const (
	ClientSide Sides = 1 << iota
	ServerSide
)

// TLS are the flags on what to agree on. They are the same in each verb
// that has them.
type TLS struct {
	sides Sides
	// Own: both sides are ours, so that nothing is lost by what is dangerous.
	// To name it is enough then.
	Own bool

	min, max                    string
	groups, legacy, schemes     []string
	Suites, PSKs                []string
	pskHint, dhParams, prefer   string
	Resume, Renegotiate         string
	Compress, PostHandshakeAuth bool
	dhMin                       int
	MaxFragmentLength           int
	recordLimit, fragment       int
	askTickets                  []int

	ech
	external
	modern

	// What follows is known after Apply.

	Low    wire.Version   // the lowest version
	Listed []*suite.Suite // the suites that the flags name; nil for the default
	high   wire.Version
	// Hinted is what the server gave as its PSK hint, known after a handshake.
	Hinted string
}

// Register adds the flags for the sides to a verb.
func (f *TLS) Register(cmd *cobra.Command, which Sides) {
	f.sides = which
	f.RegisterVersions(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&f.groups, "groups", nil, "key-exchange groups by `names`, best first (default: all but ffdhe)")
	flags.StringArrayVar(&f.PSKs, "psk", nil, "a pre-shared key, `identity:hex`, for the suites with PSK up to TLS 1.2 or, with --min 1.3, for TLS 1.3; other users may see it in the list of processes")
	flags.BoolVar(&f.Compress, "compress", false, "use DEFLATE up to TLS 1.2, if --legacy compression allows it")
	f.external.register(cmd)
	f.modern.register(cmd, which)
	flags.IntVar(&f.recordLimit, "record-size-limit", 0, "tell the peer to send records of at most this many `bytes`, 64 to 16385 (RFC 8449)")
	flags.IntVar(&f.fragment, "fragment", 0, "put at most this many `bytes` into a record (default 16384)")
	CompleteList(cmd, "groups", vocabulary.GroupNames())
	if which&ClientSide != 0 {
		f.registerClient(cmd)
	}
	if which&ServerSide != 0 {
		f.registerServer(cmd)
	}
	flags.StringVar(&f.Renegotiate, "renegotiate", "", renegotiateHelp[which])
	flags.BoolVar(&f.PostHandshakeAuth, "post-handshake-auth", false, postHandshakeHelp[which])
	CompleteFrom(cmd, "renegotiate", []string{"client", "server"})
}

// RegisterVersions adds the flags on versions, suites and what is dangerous alone, for a
// verb that only looks at a server. It has the client's side then.
func (f *TLS) RegisterVersions(cmd *cobra.Command) {
	if f.sides == 0 {
		f.sides = ClientSide
	}
	flags := cmd.Flags()
	flags.StringVar(&f.min, "min", "", "lowest `version`: ssl3.0, tls1.0, tls1.1, tls1.2 or tls1.3 (default tls1.2, or --max if that is lower)")
	flags.StringVar(&f.max, "max", "", "highest `version` (default tls1.3, or the highest that has what the other flags ask for)")
	flags.StringSliceVar(&f.Suites, "suites", nil, "cipher suites by IANA or OpenSSL `names`, best first, which 'vitrine suites' lists; all means every one that is allowed (default: the safe ones)")
	flags.StringSliceVar(&f.schemes, "sigalgs", nil, "signature schemes that the peer may sign with, by `names`, best first (default: those of RSA, ECDSA and Ed25519); all adds RSASSA-PSS keys, Ed448 and ML-DSA")
	flags.StringSliceVar(&f.legacy, "legacy", nil, "allow dangerous things that are off, by `words` like ssl30,rc4; all allows all of them")
	CompleteFrom(cmd, "min", VersionNames())
	CompleteFrom(cmd, "max", VersionNames())
	CompleteList(cmd, "suites", SuiteNames())
	CompleteList(cmd, "sigalgs", vocabulary.SchemeNames())
	CompleteList(cmd, "legacy", vocabulary.AllLegacyWords())
}

var renegotiateHelp = map[Sides]string{
	ClientSide:              "renegotiate inside the connection, up to TLS 1.2; `side` client: we begin, server: the server may",
	ServerSide:              "renegotiate inside connections, up to TLS 1.2; `side` client: clients may begin, server: we do",
	ClientSide | ServerSide: "renegotiate inside the connection, up to TLS 1.2; this `side` begins: client or server",
}

var postHandshakeHelp = map[Sides]string{
	ClientSide:              "offer to show our certificate after the handshake, when the server asks (TLS 1.3)",
	ServerSide:              "ask for the client's certificate after the handshake, not in it: by renegotiation up to TLS 1.2",
	ClientSide | ServerSide: "show a client certificate after the handshake: by renegotiation up to TLS 1.2",
}

func (f *TLS) registerClient(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.Resume, "resume", "none", "make a second connection that resumes the first, in this `way`: id or ticket (up to TLS 1.2) or psk (TLS 1.3)")
	flags.IntSliceVar(&f.askTickets, "ask-tickets", nil, "ask for this `number` of tickets of TLS 1.3, 0 to 16; NEW,RESUMED: another one after a handshake that resumes (RFC 9149)")
	flags.IntVar(&f.dhMin, "dh-min", 0, "accept groups for DHE of at least this many `bits` (default 2048)")
	flags.IntVar(&f.MaxFragmentLength, "max-fragment-length", 0, "ask for records of at most 512, 1024, 2048 or 4096 `bytes` both ways (RFC 6066)")
	f.ech.registerClient(cmd)
	CompleteFrom(cmd, "resume", []string{"none", "id", "ticket", "psk"})
	CompleteFrom(cmd, "max-fragment-length", []string{"512", "1024", "2048", "4096"})
}

func (f *TLS) registerServer(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.pskHint, "psk-hint", "", "the server's `text` to help a client choose its pre-shared key")
	flags.StringVar(&f.dhParams, "dh-params", "", "the server's group for DHE, a PEM `file` as 'openssl dhparam' writes it (default: those of RFC 7919)")
	flags.StringVar(&f.prefer, "prefer", "server", "the `side` whose order of cipher suites counts: client or server")
	f.ech.registerServer(cmd)
	CompleteFrom(cmd, "prefer", []string{"client", "server"})
}

// As says that only the flags of one side count, of a verb that has those of both. Call it
// before Apply.
func (f *TLS) As(side Sides) { f.sides = side }

// Apply sets what the flags say in config.
func (f *TLS) Apply(config *tls.Config) error {
	f.Suites, f.groups = SplitNames(f.Suites), SplitNames(f.groups)
	for _, step := range []func(*tls.Config) error{
		f.applyLegacy, f.applyPSK, f.applySuites, f.applyConduct, f.applyVersions, f.applyGroups, f.applySchemes, f.applyDH, f.applyRecords, f.applyConsent, f.applyModern, f.ech.apply,
	} {
		if err := step(config); err != nil {
			return err
		}
	}
	return nil
}

func (f *TLS) applyLegacy(config *tls.Config) error {
	return parseLegacy(&config.Legacy, f.legacy)
}

func (f *TLS) applySuites(config *tls.Config) (err error) {
	switch {
	case len(f.Suites) > 0:
		f.Listed, err = parseSuites(f.Suites, config)
	case len(f.PSKs) > 0 && !f.psk13():
		f.Listed = slices.DeleteFunc(suite.All(), func(s *suite.Suite) bool { return !s.KeyExchange.PSK() || len(s.Switches) > 0 })
	}
	for _, s := range f.Listed {
		config.CipherSuites = append(config.CipherSuites, uint16(s.ID))
	}
	return err
}

func (f *TLS) applyVersions(config *tls.Config) (err error) {
	f.Low, f.high, err = bounds(f.min, f.max, f.needs(), f.Own)
	config.MinVersion, config.MaxVersion = uint16(f.Low), uint16(f.high)
	for flag, set := range map[string]bool{"--renegotiate": f.Renegotiate != "", "--compress": f.Compress} {
		if err == nil && set && f.Low >= wire.TLS13 {
			return report.Usagef("%s is for TLS 1.2 and before; leave --min out", flag)
		}
	}
	return err
}

// resumptions are the values of --resume beside none: the versions that have it.
var resumptions = map[string]span{
	"id":     {low: wire.SSL30, high: wire.TLS12},
	"ticket": {low: wire.TLS10, high: wire.TLS12},
	"psk":    {low: wire.TLS13, high: wire.TLS13},
}

func (f *TLS) Resumes() bool { return f.Resume != "" && f.Resume != "none" }

// Capped says which flag keeps TLS 1.3 off; empty for none, and for those that name
// versions or suites, which is what they are for.
func (f *TLS) Capped() string {
	for _, n := range f.needs() {
		if f.max == "" && len(f.Suites) == 0 && n.high == f.high && n.high < wire.TLS13 {
			return fmt.Sprintf("TLS 1.3 was not offered: %s is for %s and before", n.by, n.high)
		}
	}
	return ""
}

// needs are the versions for each flag that exists in some only.
func (f *TLS) needs() []span {
	var list []span
	old := func(set bool, by string) {
		if set && f.sides&ClientSide != 0 { // a server only allows it
			list = append(list, span{by, wire.SSL30, wire.TLS12, true})
		}
	}
	if f.Resumes() {
		s := resumptions[f.Resume]
		list = append(list, span{"--resume " + f.Resume, s.low, s.high, true})
	}
	old(f.Renegotiate != "", "--renegotiate "+f.Renegotiate)
	old(f.Compress, "--compress")
	if len(f.Listed) > 0 {
		by := "--suites " + strings.Join(f.Suites, ",")
		if len(f.Suites) == 0 {
			by = "--psk"
		}
		low := slices.MinFunc(f.Listed, func(a, b *suite.Suite) int { return cmp.Compare(a.Min, b.Min) }).Min
		high := slices.MaxFunc(f.Listed, func(a, b *suite.Suite) int { return cmp.Compare(a.Max, b.Max) }).Max
		list = append(list, span{by, low, high, false})
	}
	return list
}

func (f *TLS) applyGroups(config *tls.Config) (err error) {
	config.CurvePreferences, err = parseGroups(f.groups)
	return err
}

func (f *TLS) applyRecords(config *tls.Config) error {
	switch {
	case !slices.Contains([]int{0, 512, 1024, 2048, 4096}, f.MaxFragmentLength):
		return report.Usagef("--max-fragment-length %d is not possible; choose 512, 1024, 2048 or 4096", f.MaxFragmentLength)
	case f.recordLimit != 0 && (f.recordLimit < 64 || f.recordLimit > 16385):
		return report.Usagef("--record-size-limit %d is not possible; choose from 64 to 16385", f.recordLimit)
	case f.fragment < 0 || f.fragment > 16384:
		return report.Usagef("--fragment %d is not possible; choose from 1 to 16384", f.fragment)
	}
	config.Record.MaxFragmentLength, config.Record.SizeLimit, config.Record.MaxFragment = f.MaxFragmentLength, f.recordLimit, f.fragment
	return nil
}

// applyConduct sets what each side may do.
func (f *TLS) applyConduct(config *tls.Config) error {
	if _, ok := resumptions[f.Resume]; f.Resumes() && !ok {
		return report.Usagef("--resume %q is not a way to resume; choose none, id, ticket or psk", f.Resume)
	}
	if f.Resumes() {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		config.SessionTicketsDisabled = f.Resume == "id" // a server that has both would take the ticket
	}
	if n := f.askTickets; len(n) > 0 {
		if len(n) > 2 || slices.Min(n) < 0 || slices.Max(n) > 16 {
			return report.Usagef("--ask-tickets takes one number or two, each from 0 to 16, as in 4 or 4,1")
		}
		config.Resumption.Request = &tls.TicketRequest{New: uint8(n[0]), Resumed: uint8(n[len(n)-1])}
	}
	switch f.Renegotiate {
	case "":
	case "client":
		config.Renegotiate.FromClient = true
	case "server":
		config.Renegotiation = tls.RenegotiateFreelyAsClient
	default:
		return report.Usagef("--renegotiate %q is not a side; choose client or server", f.Renegotiate)
	}
	if f.sides&ServerSide != 0 && f.prefer != "client" && f.prefer != "server" {
		return report.Usagef("--prefer %q is not a side; choose client or server", f.prefer)
	}
	config.PreferClientCipherSuites = f.prefer == "client"
	config.PostHandshakeAuth = f.PostHandshakeAuth && f.sides&ClientSide != 0
	return nil
}

// What a server needs for the suites with DSS, beside what they need by themselves.
const (
	DSSSwitch = vocabulary.DSSSwitch
	WhyNoDSS  = vocabulary.WhyNoDSS
)

// applyConsent refuses what is dangerous and was not allowed, and says how to
// allow it. With a server of our own to name it is enough.
func (f *TLS) applyConsent(config *tls.Config) error {
	var needed []string // switches that are off
	why := ""
	want := func(reason string, fields ...string) {
		off := vocabulary.Missing(&config.Legacy, fields)
		if len(off) > 0 && why == "" {
			why = reason
		}
		needed = append(needed, off...)
	}
	vocabulary.Needs(f.Listed, config.SignatureSchemes, f.Low, f.sides&ServerSide != 0, want)
	if f.Compress {
		want("compression is off because secrets leak through the lengths of records (CRIME)", "Compression")
	}
	if bits := f.LeastDHBits(config); bits != 0 && bits < 2048 {
		want("groups of less than 2048 bits for DHE are off because they can be broken (Logjam)", "SmallDH")
	}
	if f.Own {
		vocabulary.Allow(&config.Legacy, needed...)
		needed = nil
	}
	config.Legacy.Compression = config.Legacy.Compression && f.Compress // allowed is not used
	if len(needed) > 0 {
		slices.Sort(needed)
		return report.Usagef("%s; if you must, add --legacy %s", why, strings.Join(LegacyWords(slices.Compact(needed)), ","))
	}
	return nil
}

// SuitsHTTP2 reports that all we may agree on is good for HTTP/2. RFC 9113 §9.2
// wants strong suites and has no renegotiation, RFC 8740 no authentication after
// the handshake.
func (f *TLS) SuitsHTTP2() bool {
	weak := slices.ContainsFunc(f.Listed, func(s *suite.Suite) bool {
		return s.KeyExchange != wire.KeyExchangeNone && (s.KeyExchange != wire.KeyExchangeECDHE || !s.IsAEAD())
	})
	return f.Low >= wire.TLS12 && !weak && f.Renegotiate == "" && !f.PostHandshakeAuth
}

// NotResumed says that the server resumed in the way got, and not as --resume asks.
func (f *TLS) NotResumed(got string) string {
	if got == "" || got == "none" {
		return "the server did not resume the session: this is a full handshake once more"
	}
	return fmt.Sprintf("--resume %s was asked for, but the server resumes by %s", f.Resume, got)
}
