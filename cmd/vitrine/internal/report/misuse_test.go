package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// beyondFlags are errors about what no flag sets, by a part of each; or what a flag sets to
// one value that is right, as those of early data, of compression and of the types of keys
// do. --psk makes keys for TLS 1.3 only with --min 1.3, below which --max cannot be.
var beyondFlags = regexp.MustCompile(`^Renegotiation is|RequireExtendedMasterSecret|Resumption.(Tickets|MaxTickets|Request)|^ClientAuth|^LaterClientAuth|` +
	`crypto/tls|GetClientCertificate|SessionState|resumption state|ticket of|KeyShares|` +
	`^Delegation|^EarlyData|^CertificateCompression|^PSK\.(WithoutDH|WithCertificate|Required)|^PSK\.External is|^PSK\.ExternalServer |` +
	`RawPublicKeys\.(Accept|Pins|Keys)|RawPublicKeys\.Show lists certificates`)

// misuses are the formats of the library's errors about a Config.
func misuses(t *testing.T) (formats []string) {
	t.Helper()
	files, err := filepath.Glob("../../../../tls/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "misuse" {
				if lit, ok := call.Args[0].(*ast.BasicLit); ok {
					format, _ := strconv.Unquote(lit.Value) // it compiles
					formats = append(formats, format)
				}
			}
			return true
		})
	}
	return formats
}

// What is wrong with a Config is a mistake on the command line: exit code 2, in the words
// of its flags.
func TestMisuseIsInTheWordsOfTheCommand(t *testing.T) {
	names := regexp.MustCompile(settingNames().String() + `|\b(Config|Legacy\.|NextProtos|ServerName|Certificates|InsecureSkipVerify|GetC\w+|[A-Z][a-z]+\.[A-Z]\w+)\b`)
	formats := misuses(t)
	if len(formats) < 20 {
		t.Fatalf("only %d errors about a Config were found", len(formats))
	}
	used := map[string]bool{}
	for _, format := range formats {
		err := &tls.HandshakeError{Alert: wire.AlertInternalError, Rule: misusePrefix + format}
		f := Describe(err, wire.Client, nil)
		if left := names.FindString(f.Text); left != "" && !beyondFlags.MatchString(format) {
			t.Errorf("%q becomes %q, which names %s", format, f.Text, left)
		}
		if code := ExitCode(err); code != ExitUsage {
			t.Errorf("%q ends with exit code %d", format, code)
		}
		for _, m := range misused {
			used[m.setting] = used[m.setting] || strings.Contains(format, m.setting) || strings.Contains("the prime of DHE.Parameters", m.setting)
		}
	}
	for _, m := range misused {
		if !used[m.setting] {
			t.Errorf("no error has %q", m.setting)
		}
	}
	err := &tls.HandshakeError{Alert: wire.AlertInternalError, Rule: "the certificate is refused"}
	if _, ok := misuse(err); ok || ExitCode(err) == ExitUsage {
		t.Error("what a peer did is a mistake on the command line")
	}
}
