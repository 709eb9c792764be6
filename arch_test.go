package vitrine_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

const module = "github.com/vitrine-tls/vitrine/"

// A rule says what a package may import: of this module, and of others. The
// standard library is free to all.
type rule struct {
	pkg    string
	ours   string // packages of this module, divided by spaces
	others string // import paths, or their prefixes up to a slash, divided by spaces
}

// anything marks the packages whose dependencies reach nobody who imports the
// library.
const anything = "*"

// The command: a verb imports shared rooms, and no verb imports another.
const (
	rooms   = "cmd/vitrine/internal/"
	verbsIn = rooms + "verbs/"
	shared  = rooms + "build " + rooms + "flags " + rooms + "report " + rooms + "terminal"
	verbs   = verbsIn + "cert " + verbsIn + "connect " + verbsIn + "explain " + verbsIn + "lab " + verbsIn + "man " + verbsIn + "proxy " + verbsIn + "scan " + verbsIn + "serve " + verbsIn + "suites " + verbsIn + "version"
)

// rules is the import table: a package without a row, and an import that its
// row does not have, fail. Each row may name only rows below it.
var rules = []rule{
	{"interop/bogo", "certcompress internal/otherkeys tls certcheck session trace wire", "golang.org/x/sys/cpu"},
	{"interop", "", anything},
	{"interop/soak", "tls certcheck certcheck/revocation internal/devca internal/proof/negative internal/proof/programs internal/rogue internal/record internal/suite session session/fleet session/memcached session/nats session/redis trace wire", "github.com/nats-io/nats-server/v2/server"},
	{"docs/readme", "", anything}, // tests alone
	{"bench/scanners", "bench/contest internal/devca", ""},
	{"bench/terminators", "bench/contest internal/devca tls", ""},
	{"bench/contest", "internal/devca", ""},
	{"bench", "capture httptls tls certcheck certcheck/revocation certcompress internal/devca internal/otherkeys internal/kex internal/primitive/cpu internal/primitive/rsa internal/proof/programs internal/suite session wire", anything},
	{"cmd/vitrine", verbs + " " + rooms + "root", "github.com/spf13/cobra"},
	{rooms + "root", shared + " internal/vocabulary wire", "github.com/spf13/cobra github.com/spf13/pflag"},
	{verbsIn + "cert", rooms + "flags " + verbsIn + "cert/ca " + verbsIn + "cert/delegate " + verbsIn + "cert/ech " + verbsIn + "cert/expiry " + verbsIn + "cert/show " + verbsIn + "cert/verify", "github.com/spf13/cobra"},
	{verbsIn + "cert/ca", shared + " certcheck/revocation internal/devca", "github.com/spf13/cobra github.com/smallstep/truststore"},
	{verbsIn + "cert/delegate", shared + " internal/devca tls wire", "github.com/spf13/cobra"},
	{verbsIn + "cert/ech", shared + " tls", "github.com/spf13/cobra"},
	{verbsIn + "cert/expiry", shared + " " + rooms + "certs wire", "github.com/spf13/cobra"},
	{verbsIn + "cert/show", shared + " " + rooms + "certs certcheck/revocation",
		"github.com/spf13/cobra golang.org/x/crypto/ocsp github.com/zmap/zcrypto/x509 github.com/zmap/zlint/v3 github.com/zmap/zlint/v3/lint"},
	{verbsIn + "cert/verify", shared + " " + rooms + "certs explain certcheck certcheck/fetch", "github.com/spf13/cobra golang.org/x/net/publicsuffix"},
	{verbsIn + "connect", shared + " " + rooms + "certs explain/diagnose explain/text explain tls internal/otherkeys internal/suite trace wire", "github.com/spf13/cobra"},
	{verbsIn + "explain", shared + " certcheck/fetch capture " + rooms + "authority " + rooms + "certs explain/diagnose explain/diff explain/pcapng explain/text explain/page explain scan/fix tls internal/devca internal/suite session trace tracefile tracefile/redact wire", "github.com/spf13/cobra github.com/spf13/pflag"},
	{verbsIn + "lab", shared + " explain/page internal/lab explain internal/suite wire", "github.com/spf13/cobra"},
	{verbsIn + "man", shared, "github.com/spf13/cobra github.com/spf13/cobra/doc"},
	{verbsIn + "proxy", shared + " " + rooms + "authority internal/devca internal/vocabulary tls proxy proxy/access proxy/convert proxy/observe proxy/event proxy/config proxy/harden proxy/keyprocess", "github.com/spf13/cobra github.com/spf13/pflag golang.org/x/sys/unix"},
	{verbsIn + "scan", shared + " certcheck/fetch explain/text explain scan/page scan/policy scan/fix scan wire", "github.com/spf13/cobra"},
	{verbsIn + "serve", shared + " " + rooms + "authority certstore explain/diagnose explain/page explain/text explain fingerprint httptls tls internal/devca internal/otherkeys internal/witness session trace tracefile/folder tracefile wire", "github.com/spf13/cobra"},
	{verbsIn + "suites", shared + " internal/suite wire", "github.com/spf13/cobra"},
	{verbsIn + "version", shared, "github.com/spf13/cobra"},
	{rooms + "certs", rooms + "flags " + rooms + "report explain tls certcheck certcheck/revocation internal/otherkeys trace wire",
		"github.com/spf13/cobra golang.org/x/crypto/ocsp github.com/youmark/pkcs8 github.com/zmap/zcrypto/x509 software.sslmate.com/src/go-pkcs12"},
	{rooms + "authority", rooms + "report internal/devca tls", ""},
	{rooms + "flags", rooms + "report certcompress certcompress/brotli certcompress/zstd explain/diagnose internal/vocabulary certstore starttls tls internal/devca internal/kex internal/otherkeys internal/suite certcheck certcheck/fetch certcheck/revocation wire", "github.com/spf13/cobra github.com/spf13/pflag golang.org/x/net/idna golang.org/x/net/proxy"},
	{rooms + "report", rooms + "terminal internal/vocabulary explain/diagnose explain scan/fix starttls tls certcheck trace wire", ""},
	{rooms + "build", "", ""},
	{rooms + "terminal", "", "golang.org/x/sys/unix golang.org/x/sys/windows"},
	{"proxy", "internal/suite proxy/access proxy/certs session/fleet proxy/web proxy/event proxy/config proxy/words starttls/front starttls certstore tls certcheck/fetch certcheck/revocation httptls wire", "github.com/pires/go-proxyproto golang.org/x/sys/unix"},
	{"proxy/observe", "explain/diagnose explain internal/witness proxy/event proxy/config tls trace tracefile/folder tracefile/redact tracefile wire",
		"github.com/prometheus/client_golang/ go.opentelemetry.io/otel/ golang.org/x/net/netutil"},
	{"proxy/web", "proxy/config httptls tls", ""},
	{"proxy/certs", "proxy/config proxy/event certstore tls certcheck/fetch certcheck/revocation internal/devca internal/proof/programs",
		"github.com/caddyserver/certmagic github.com/fsnotify/fsnotify go.uber.org/zap golang.org/x/net/dns/dnsmessage golang.org/x/net/idna software.sslmate.com/src/go-pkcs12"},
	{"proxy/access", "tls certcheck/revocation wire", "github.com/google/cel-go/ golang.org/x/crypto/cryptobyte golang.org/x/crypto/cryptobyte/ golang.org/x/net/idna"},
	{"proxy/event", "tls", ""},
	{"proxy/keyprocess", "proxy/harden proxy/config tls internal/otherkeys internal/primitive/rsa", ""},
	{"proxy/harden", "proxy/config",
		"github.com/elastic/go-seccomp-bpf github.com/elastic/go-seccomp-bpf/arch github.com/landlock-lsm/go-landlock/landlock github.com/landlock-lsm/go-landlock/landlock/syscall golang.org/x/sys/unix"},
	{"proxy/convert", "internal/vocabulary proxy/config", ""},
	{"proxy/config", "proxy/words internal/vocabulary starttls tls wire", "go.yaml.in/yaml/v3 golang.org/x/sys/unix"},
	{"proxy/words", "internal/vocabulary tls internal/suite wire", ""},
	{"internal/vocabulary", "tls internal/suite wire", ""},
	{"internal/witness", "explain trace wire", ""},
	{"internal/lab", "explain internal/passive internal/rogue tls internal/devca internal/suite session trace wire", ""},
	{"explain/text", "explain explain/internal/words wire", ""},              // a renderer: explain imports none
	{"scan/page", "explain/page scan/policy scan/fix scan", ""},              // a renderer; explain/page for its style
	{"explain/diff", "explain/page explain explain/internal/words wire", ""}, // explain/page for its colours
	{"explain/page", "explain explain/internal/catalogue wire", ""},          // a renderer too
	{"explain/pcapng", "explain wire", ""},
	{"tracefile/folder", "", ""},
	{"tracefile/redact", "trace tracefile wire", ""},
	{"explain/diagnose", "explain scan starttls tls certcheck certcheck/revocation internal/suite wire", ""},
	{"explain", "explain/internal/recompute explain/internal/words internal/otherkeys internal/suite trace tracefile wire", "golang.org/x/net/http2/hpack"},
	{"explain/internal/catalogue", "", ""}, // texts alone, for renderers
	{"explain/internal/words", "", ""},
	{"explain/internal/recompute", "internal/otherkeys internal/suite wire", "filippo.io/mldsa"}, // a second implementation: nothing of the engine's
	{"scan/policy", "scan", "go.yaml.in/yaml/v3"},
	{"scan", "scan/fix starttls certcheck certcheck/revocation internal/passive internal/record internal/keys internal/kex internal/otherkeys internal/suite trace wire", ""},
	{"scan/fix", "", ""},
	{"session/fleet", "session/files session/memcached session/nats session/redis tls session", "golang.org/x/crypto/chacha20poly1305"},
	{"httptls", "tls", "golang.org/x/net/proxy"},
	{"internal/rogue", "tls internal/record internal/keys internal/suite internal/devca session trace wire", ""},
	{"internal/proof/consttime/operations", "tls internal/kex internal/record internal/suite session trace wire", ""},
	{"internal/proof/consttime", "", ""},
	{"certstore", "tls certcheck/revocation", ""},
	{"starttls/front", "starttls tls session", ""},
	{"starttls", "tls", ""}, // tls for an example alone
	{"tls", "certcompress internal/engine internal/handshake internal/hpke internal/keys internal/kex internal/otherkeys internal/record internal/suite certcheck certcheck/revocation session trace wire", ""},
	{"capture", "certcompress fingerprint internal/passive trace wire", ""},
	{"internal/passive", "certcompress internal/handshake internal/hpke internal/record internal/keys internal/kex internal/suite trace wire", ""},
	{"internal/engine", "internal/handshake internal/record trace wire", ""},
	{"certcompress/brotli", "certcompress wire", "github.com/andybalholm/brotli"},
	{"certcompress/zstd", "certcompress wire", "github.com/klauspost/compress/zstd"},
	{"internal/handshake", "certcompress internal/record internal/keys internal/hpke internal/kex internal/otherkeys internal/primitive/rsa internal/suite certcheck certcheck/revocation session trace wire", ""},
	{"internal/record", "internal/suite wire", ""},
	{"internal/keys", "internal/suite wire", ""},
	{"internal/suite", "internal/primitive/aesgcm wire", "golang.org/x/crypto/ golang.org/x/sys/cpu"},
	{"internal/hpke", "internal/kex wire", "golang.org/x/crypto/chacha20poly1305"},
	{"internal/kex", "internal/primitive/modexp internal/primitive/rsa wire", "github.com/cloudflare/circl/ filippo.io/edwards25519 filippo.io/bigmod"},
	{"internal/devca", "internal/otherkeys", "golang.org/x/crypto/ocsp golang.org/x/crypto/cryptobyte golang.org/x/crypto/cryptobyte/"},
	{"internal/proof/attacks", "", ""}, // tests alone
	{"internal/proof/negative", "", ""},
	{"internal/proof/faults", "", ""}, // tests alone
	{"internal/proof/systems", "", "golang.org/x/tools/go/analysis/checker golang.org/x/tools/go/analysis/suite/vet golang.org/x/tools/go/packages"},
	{"internal/proof/leak", "", ""},
	{"internal/proof/browser", "internal/proof/programs", "github.com/chromedp/"}, // for tests alone
	{"internal/proof/programs", "", ""},                                           // for tests alone
	{"certcheck/fetch", "certcheck certcheck/revocation", ""},                     // certcheck for a test alone
	{"certcheck", "certcheck/revocation internal/otherkeys internal/primitive/rsa wire", "golang.org/x/crypto/"},
	{"certcheck/revocation", "internal/otherkeys", "golang.org/x/crypto/"},
	{"internal/otherkeys", "internal/primitive/rsa wire", "github.com/cloudflare/circl/sign github.com/cloudflare/circl/sign/ golang.org/x/crypto/"},
	{"internal/primitive/aesgcm", "internal/primitive/cpu", ""},
	{"internal/primitive/aesgcm/generate", "", "github.com/mmcloughlin/avo/"}, // runs when somebody generates
	{"internal/primitive/rsa", "internal/primitive/modexp", ""},
	{"internal/primitive/modexp/generate", "", "github.com/mmcloughlin/avo/"},
	{"internal/primitive/modexp", "internal/primitive/cpu", ""},
	{"internal/primitive/cpu", "", "golang.org/x/sys/cpu"},
	{"certcheck/internal/differ", "", ""},                    // tests alone
	{"certcheck/internal/forge", "", "golang.org/x/crypto/"}, // for tests alone,
	{"fingerprint", "wire", ""},
	{"session/files", "session/internal/guard session", "golang.org/x/sys/windows"},
	{"session/memcached", "session/internal/bound session/internal/guard session", "github.com/bradfitz/gomemcache/memcache"},
	{"session/nats", "session/internal/guard session/internal/lazy session", "github.com/nats-io/nats.go github.com/nats-io/nats.go/jetstream"},
	{"session/redis", "session/internal/bound session/internal/guard session/internal/lazy session", "github.com/valkey-io/valkey-go"},
	{"session/internal/storetest", "session", ""}, // for tests alone
	{"session/internal/bound", "", ""},
	{"session/internal/guard", "", ""},
	{"session/internal/lazy", "", ""},
	{"session", "wire", ""},
	{"tracefile", "trace wire", ""},
	{"certcompress", "wire", ""},
	{"trace", "wire", ""},
	{"wire", "", ""},
	{"", "", ""}, // the root: documentation and this test
}

// versionFiles are where the protocol's code may compare versions; everywhere
// else the negotiated profile carries what differs.
var versionFiles = []string{
	"wire/",
	"internal/handshake/profile.go",
	"internal/handshake/negotiate.go",
	"internal/record/protection.go",
}

// protocol are the packages that run a connection, where the rules on
// versions, I/O and concurrency hold.
var protocol = []string{
	"tls", "internal/engine", "internal/handshake", "internal/record",
	"internal/keys", "internal/kex", "internal/suite", "session", "wire",
}

// A file and a function have this many lines at most; longFiles lists the
// tables that need more.
const (
	maxLines    = 600
	maxFunction = 60
)

var longFiles = map[string]string{}

// bigFiles may import math/big in internal, where it could meet a secret.
var bigFiles = map[string]string{
	"internal/devca/names.go":       "the numbers of certificates and CRLs, which are public",
	"internal/primitive/rsa/key.go": "crypto/rsa holds its keys so: their bytes are taken out once, and nothing is computed",
	"internal/kex/dss.go":           "crypto/dsa has no other interface: verifying has no secrets, signing is behind its own switch",
}

// A source is one parsed Go file of the module.
type source struct {
	path, pkg string // slashes, from the root
	test      bool
	text      []byte
	file      *ast.File
}

var (
	fset   = token.NewFileSet()
	parsed []source
)

// sources parses every Go file of the module, once.
func sources(t *testing.T) []source {
	t.Helper()
	if parsed != nil {
		return parsed
	}
	walk(t, func(name string, text []byte) {
		if !strings.HasSuffix(name, ".go") {
			return
		}
		f, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		pkg := path.Dir(name)
		if pkg == "." {
			pkg = ""
		}
		parsed = append(parsed, source{name, pkg, strings.HasSuffix(name, "_test.go"), text, f})
	})
	return parsed
}

// walk calls f with every file of the repository that is not hidden data.
func walk(t *testing.T, f func(name string, text []byte)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git" || d.Name() == "bin"):
			return fs.SkipDir
		case d.Type().IsRegular():
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			f(name, text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s source) errorf(t *testing.T, n ast.Node, format string, args ...any) {
	t.Helper()
	t.Errorf("%s: %s", fset.Position(n.Pos()), fmt.Sprintf(format, args...))
}

func ruleOf(rules []rule, pkg string) (rule, bool) {
	i := slices.IndexFunc(rules, func(r rule) bool { return r.pkg == pkg })
	if i < 0 {
		return rule{}, false
	}
	return rules[i], true
}

func TestMain(m *testing.M) { leak.Main(m) }

func TestImportsGoDownward(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		r, ok := ruleOf(rules, s.pkg)
		if seen[s.pkg] = true; !ok {
			t.Errorf("%s: package %q has no row in the import table", s.path, s.pkg)
			continue
		}
		if s.test {
			continue // tests may look at anything
		}
		for _, spec := range s.file.Imports {
			name := strings.Trim(spec.Path.Value, `"`)
			ours, isOurs := strings.CutPrefix(name, module)
			isStd := !strings.Contains(strings.Split(name, "/")[0], ".")
			switch {
			case isOurs && !slices.Contains(strings.Fields(r.ours), ours),
				!isOurs && !isStd && !permits(r.others, name):
				s.errorf(t, spec, "%q may not import %s", s.pkg, name)
			}
		}
	}
	for i, r := range rules {
		if !seen[r.pkg] {
			t.Errorf("the import table has a row for %q, which does not exist", r.pkg)
		}
		for _, below := range strings.Fields(r.ours) {
			if _, ok := ruleOf(rules[i+1:], below); !ok {
				t.Errorf("%q may import %q, which does not stand below it", r.pkg, below)
			}
		}
	}
}

func permits(prefixes, name string) bool {
	return prefixes == anything || slices.ContainsFunc(strings.Fields(prefixes), func(p string) bool {
		return name == p || strings.HasSuffix(p, "/") && strings.HasPrefix(name, p)
	})
}

// inspect calls f for every node of the module's code, tests excepted, in the
// given packages; nil means all.
func inspect(t *testing.T, packages []string, f func(source, ast.Node)) {
	t.Helper()
	for _, s := range sources(t) {
		if s.test || packages != nil && !slices.Contains(packages, s.pkg) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if n != nil {
				f(s, n)
			}
			return true
		})
	}
}

func TestVersionsAreComparedInFewPlaces(t *testing.T) {
	inspect(t, protocol, func(s source, n ast.Node) {
		if slices.ContainsFunc(versionFiles, func(p string) bool { return strings.HasPrefix(s.path, p) }) {
			return
		}
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if isComparison(n.Op) && (isVersion(n.X) || isVersion(n.Y)) {
				s.errorf(t, n, "a version is compared; put the difference into a profile")
			}
		case *ast.CaseClause:
			if slices.ContainsFunc(n.List, isVersion) {
				s.errorf(t, n, "a switch on a version; put the difference into a profile")
			}
		}
	})
}

func isComparison(op token.Token) bool {
	switch op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		return true
	}
	return false
}

func isVersion(e ast.Expr) bool {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	switch sel.Sel.Name {
	case "SSL20", "SSL30", "TLS10", "TLS11", "TLS12", "TLS13",
		"VersionSSL30", "VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13":
		return true
	}
	return false
}

// Below tls there is no I/O and no concurrency.
func TestTheEngineHasNoIO(t *testing.T) {
	below := slices.DeleteFunc(slices.Clone(protocol), func(p string) bool { return p == "tls" })
	inspect(t, below, func(s source, n ast.Node) {
		switch n := n.(type) {
		case *ast.GoStmt, *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
			s.errorf(t, n, "goroutines and channels belong in package tls")
		case *ast.ImportSpec:
			if name := strings.Trim(n.Path.Value, `"`); name == "net" || name == "os" {
				s.errorf(t, n, "%s is imported; I/O belongs in package tls", name)
			}
		}
	})
}

func TestNoBigNumbersNearSecrets(t *testing.T) {
	for _, s := range sources(t) {
		for _, spec := range s.file.Imports {
			if !s.test && strings.HasPrefix(s.pkg, "internal/") && bigFiles[s.path] == "" && spec.Path.Value == `"math/big"` {
				s.errorf(t, spec, "math/big is not constant-time")
			}
		}
	}
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	for _, s := range sources(t) {
		if n := bytes.Count(s.text, []byte("\n")); n > maxLines && longFiles[s.path] == "" {
			t.Errorf("%s has %d lines; %d is the most", s.path, n, maxLines)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.test {
				continue
			}
			if n := 1 + fset.Position(f.End()).Line - fset.Position(f.Pos()).Line; n > maxFunction {
				s.errorf(t, f, "%s has %d lines; %d is the most", f.Name.Name, n, maxFunction)
			}
		}
	}
}

// What is not done is said in the documents, not left as a mark in the code.
func TestNothingIsLeftForLater(t *testing.T) {
	marks := []string{"TO" + "DO", "FIX" + "ME", "XX" + "X:"}
	walk(t, func(name string, text []byte) {
		for _, mark := range marks {
			if i := bytes.Index(text, []byte(mark)); i >= 0 {
				t.Errorf("%s:%d: %s", name, 1+bytes.Count(text[:i], []byte("\n")), mark)
			}
		}
	})
}

// An example is copied by users, who cannot import what is internal.
func TestExamplesCompileForUsers(t *testing.T) {
	for _, s := range sources(t) {
		shows := strings.HasPrefix(path.Base(s.path), "example")
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); s.test && ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Example") {
				shows = true
				if !strings.HasSuffix(s.file.Name.Name, "_test") {
					s.errorf(t, f, "the example is inside its package, and so does not look as it does for users")
				}
			}
		}
		for _, spec := range s.file.Imports {
			if shows && strings.Contains(spec.Path.Value, "/internal/") {
				s.errorf(t, spec, "an example imports %s", spec.Path.Value)
			}
		}
	}
}

// Every package says what it is, and every public one shows its use.
func TestPackagesAreDocumented(t *testing.T) {
	documented, shown := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		documented[s.pkg] = documented[s.pkg] || !s.test && s.file.Doc != nil
		shown[s.pkg] = shown[s.pkg] || strings.HasPrefix(path.Base(s.path), "example") && s.test
	}
	for pkg, ok := range documented {
		if !ok && pkg != "interop" { // tests alone
			t.Errorf("package %q has no documentation", pkg)
		}
	}
	for _, pkg := range []string{"capture", "certcheck", "certcheck/fetch", "certcheck/revocation", "certcompress", "certstore", "explain", "explain/diagnose", "explain/diff", "explain/pcapng", "explain/text", "fingerprint", "httptls", "scan", "scan/fix", "scan/policy", "session", "session/files", "session/fleet", "session/memcached", "session/nats", "session/redis", "tls", "trace", "tracefile", "tracefile/redact", "wire"} {
		if !shown[pkg] {
			t.Errorf("package %q has no example", pkg)
		}
	}
}
