package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// sides are those for which a verb has flags.
type sides uint8

const (
	clientSide sides = 1 << iota
	serverSide
)

// tlsFlags are the flags on what to agree on. They are the same in each verb
// that has them.
type tlsFlags struct {
	sides sides
	// own: both sides are ours, so that nothing is lost by what is dangerous.
	// To name it is enough then.
	own bool

	min, max                       string
	suites, groups, legacy, psks   []string
	pskHint, dhParams, prefer      string
	resume, renegotiate            string
	compress, postHandshakeAuth    bool
	dhMin                          int
	maxFragmentLength, recordLimit int
	fragment                       int
	hinted                         string // what the server gave as its PSK hint
	low, high                      wire.Version
	listed                         []*suite.Suite // nil for the default
}

// register adds the flags for the sides to a verb.
func (f *tlsFlags) register(cmd *cobra.Command, which sides) {
	f.sides = which
	flags := cmd.Flags()
	flags.StringVar(&f.min, "min", "", "lowest `version`: ssl3.0, tls1.0, tls1.1, tls1.2 or tls1.3 (default tls1.2, or --max if that is lower)")
	flags.StringVar(&f.max, "max", "", "highest `version` (default tls1.3, or the highest that has what the other flags ask for)")
	flags.StringSliceVar(&f.suites, "suites", nil, "cipher suites by IANA or OpenSSL `names`, best first, which 'vitrine suites' lists; all is each that is allowed (default: the safe ones)")
	flags.StringSliceVar(&f.groups, "groups", nil, "key-exchange groups by `names`, best first (default: all but ffdhe)")
	flags.StringSliceVar(&f.legacy, "legacy", nil, "allow what is off because it is dangerous, in `words` like ssl30,rc4; all is all of it")
	flags.StringArrayVar(&f.psks, "psk", nil, "a pre-shared key, `identity:hex`, for the suites with PSK until TLS 1.2; other users may see it in the list of processes")
	flags.BoolVar(&f.compress, "compress", false, "use DEFLATE until TLS 1.2, if --legacy compression allows it")
	flags.IntVar(&f.recordLimit, "record-size-limit", 0, "tell the peer to send records of at most this many `bytes`, 64 to 16385 (RFC 8449)")
	flags.IntVar(&f.fragment, "fragment", 0, "put at most this many `bytes` into a record (default 16384)")
	completeFrom(cmd, "min", versionFlagNames())
	completeFrom(cmd, "max", versionFlagNames())
	completeList(cmd, "suites", suiteNames())
	completeList(cmd, "groups", groupNames())
	completeList(cmd, "legacy", append(legacyWords(legacyFields()), "all"))
	if which&clientSide != 0 {
		f.registerClient(cmd)
	}
	if which&serverSide != 0 {
		f.registerServer(cmd)
	}
	flags.StringVar(&f.renegotiate, "renegotiate", "", renegotiateHelp[which])
	flags.BoolVar(&f.postHandshakeAuth, "post-handshake-auth", false, postHandshakeHelp[which])
	completeFrom(cmd, "renegotiate", []string{"client", "server"})
}

var renegotiateHelp = map[sides]string{
	clientSide:              "a handshake inside the connection, until TLS 1.2; `side` client begins one, server lets the server begin",
	serverSide:              "handshakes inside connections, until TLS 1.2; `side` client lets clients begin, server begins one",
	clientSide | serverSide: "a handshake inside the connection, until TLS 1.2, which this `side` begins: client or server",
}

var postHandshakeHelp = map[sides]string{
	clientSide:              "offer to show our certificate after the handshake, when the server asks (TLS 1.3)",
	serverSide:              "ask for the client's certificate after the handshake, not in it: by renegotiation until TLS 1.2",
	clientSide | serverSide: "show a client certificate after the handshake: by renegotiation until TLS 1.2",
}

func (f *tlsFlags) registerClient(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.resume, "resume", "none", "make a second connection, which resumes the first by this `way`: id or ticket (until TLS 1.2) or psk (TLS 1.3)")
	flags.IntVar(&f.dhMin, "dh-min", 0, "take groups for DHE of at least this many `bits` (default 2048)")
	flags.IntVar(&f.maxFragmentLength, "max-fragment-length", 0, "ask for records of at most 512, 1024, 2048 or 4096 `bytes` both ways (RFC 6066)")
	completeFrom(cmd, "resume", []string{"none", "id", "ticket", "psk"})
	completeFrom(cmd, "max-fragment-length", []string{"512", "1024", "2048", "4096"})
}

func (f *tlsFlags) registerServer(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.pskHint, "psk-hint", "", "the server's `text` to help a client choose its pre-shared key")
	flags.StringVar(&f.dhParams, "dh-params", "", "the server's group for DHE, a PEM `file` as 'openssl dhparam' writes it (default: those of RFC 7919)")
	flags.StringVar(&f.prefer, "prefer", "server", "the `side` whose order of cipher suites rules: client or server")
	completeFrom(cmd, "prefer", []string{"client", "server"})
}

// apply sets what the flags say in config.
func (f *tlsFlags) apply(config *tls.Config) error {
	for _, step := range []func(*tls.Config) error{
		f.applyLegacy, f.applyPSK, f.applySuites, f.applyConduct, f.applyVersions, f.applyGroups, f.applyDH, f.applyRecords, f.applyConsent,
	} {
		if err := step(config); err != nil {
			return err
		}
	}
	return nil
}

func (f *tlsFlags) applyLegacy(config *tls.Config) error {
	return parseLegacy(&config.Legacy, f.legacy)
}

func (f *tlsFlags) applySuites(config *tls.Config) (err error) {
	switch {
	case len(f.suites) > 0:
		f.listed, err = parseSuites(f.suites, config)
	case len(f.psks) > 0:
		f.listed = slices.DeleteFunc(suite.All(), func(s *suite.Suite) bool { return !s.KeyExchange.PSK() || len(s.Switches) > 0 })
	}
	for _, s := range f.listed {
		config.CipherSuites = append(config.CipherSuites, uint16(s.ID))
	}
	return err
}

func (f *tlsFlags) applyVersions(config *tls.Config) (err error) {
	f.low, f.high, err = bounds(f.min, f.max, f.needs(), f.own)
	config.MinVersion, config.MaxVersion = uint16(f.low), uint16(f.high)
	for flag, set := range map[string]bool{"--renegotiate": f.renegotiate != "", "--compress": f.compress} {
		if err == nil && set && f.low >= wire.TLS13 {
			return usagef("%s is for TLS 1.2 and before; leave --min out", flag)
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

func (f *tlsFlags) resumes() bool { return f.resume != "" && f.resume != "none" }

// needs are the versions for each flag that exists in some only.
func (f *tlsFlags) needs() []span {
	var list []span
	old := func(set bool, by string) {
		if set && f.sides&clientSide != 0 { // a server only allows it, to clients who have it
			list = append(list, span{by, wire.SSL30, wire.TLS12, true})
		}
	}
	if f.resumes() {
		s := resumptions[f.resume]
		list = append(list, span{"--resume " + f.resume, s.low, s.high, true})
	}
	old(f.renegotiate != "", "--renegotiate "+f.renegotiate)
	old(f.compress, "--compress")
	if len(f.listed) > 0 {
		by := "--suites " + strings.Join(f.suites, ",")
		if len(f.suites) == 0 {
			by = "--psk"
		}
		low := slices.MinFunc(f.listed, func(a, b *suite.Suite) int { return cmp.Compare(a.Min, b.Min) }).Min
		high := slices.MaxFunc(f.listed, func(a, b *suite.Suite) int { return cmp.Compare(a.Max, b.Max) }).Max
		list = append(list, span{by, low, high, false})
	}
	return list
}

func (f *tlsFlags) applyGroups(config *tls.Config) (err error) {
	config.CurvePreferences, err = parseGroups(f.groups)
	return err
}

func (f *tlsFlags) applyRecords(config *tls.Config) error {
	switch {
	case !slices.Contains([]int{0, 512, 1024, 2048, 4096}, f.maxFragmentLength):
		return usagef("--max-fragment-length %d is not possible; choose 512, 1024, 2048 or 4096", f.maxFragmentLength)
	case f.recordLimit != 0 && (f.recordLimit < 64 || f.recordLimit > 16385):
		return usagef("--record-size-limit %d is not possible; choose from 64 to 16385", f.recordLimit)
	case f.fragment < 0 || f.fragment > 16384:
		return usagef("--fragment %d is not possible; choose from 1 to 16384", f.fragment)
	}
	config.Record.MaxFragmentLength, config.Record.SizeLimit, config.Record.MaxFragment = f.maxFragmentLength, f.recordLimit, f.fragment
	return nil
}

// applyConduct sets who may do what.
func (f *tlsFlags) applyConduct(config *tls.Config) error {
	if _, ok := resumptions[f.resume]; f.resumes() && !ok {
		return usagef("--resume %q is not a way to resume; choose none, id, ticket or psk", f.resume)
	}
	if f.resumes() {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		config.SessionTicketsDisabled = f.resume == "id" // a server that has both would take the ticket
	}
	switch f.renegotiate {
	case "":
	case "client":
		config.Renegotiate.FromClient = true
	case "server":
		config.Renegotiation = tls.RenegotiateFreelyAsClient
	default:
		return usagef("--renegotiate %q is nobody; choose client or server", f.renegotiate)
	}
	if f.sides&serverSide != 0 && f.prefer != "client" && f.prefer != "server" {
		return usagef("--prefer %q is nobody; choose client or server", f.prefer)
	}
	config.PreferClientCipherSuites = f.prefer == "client"
	config.PostHandshakeAuth = f.postHandshakeAuth && f.sides&clientSide != 0
	return nil
}

// What a server needs for the suites with DSS, beside what they need by themselves.
const (
	dssSwitch = "DSSSigning"
	whyNoDSS  = "a server that signs with DSA takes a time that depends on its key"
)

// applyConsent refuses what is dangerous and was not allowed, and says how to
// allow it. With a server of our own to name it is enough.
func (f *tlsFlags) applyConsent(config *tls.Config) error {
	var needed []string // switches that are off
	why := ""
	want := func(reason string, fields ...string) {
		off := missing(&config.Legacy, fields)
		if len(off) > 0 && why == "" {
			why = reason
		}
		needed = append(needed, off...)
	}
	for _, s := range f.listed {
		want(s.Name+" is off because "+s.WhyNot, s.Switches...)
		if s.Auth == suite.AuthDSS && f.sides&serverSide != 0 {
			want(whyNoDSS, dssSwitch)
		}
	}
	if f.low == wire.SSL30 {
		want("SSL 3.0 is off because its padding is not authenticated (POODLE)", "SSL30")
	}
	if f.compress {
		want("compression is off because secrets leak through the lengths of records (CRIME)", "Compression")
	}
	if bits := f.dhBits(config); bits != 0 && bits < 2048 {
		want("groups of less than 2048 bits for DHE are off because they can be broken (Logjam)", "SmallDH")
	}
	if f.own {
		allow(&config.Legacy, needed...)
		needed = nil
	}
	config.Legacy.Compression = config.Legacy.Compression && f.compress // allowed is not used
	if len(needed) > 0 {
		slices.Sort(needed)
		return usagef("%s; if you must, add --legacy %s", why, strings.Join(legacyWords(slices.Compact(needed)), ","))
	}
	return nil
}
