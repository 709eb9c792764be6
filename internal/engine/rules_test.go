package engine

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// elsewhere are the rules that the table of offences does not break, and the
// tests that do.
var elsewhere = map[string]string{
	"the peer sent handshake data at the level ":                                                           "TestQUICRules",
	" bytes of handshake data that nothing was waiting for":                                                "TestQUICBuffersLittle",
	"the client sent no quic_transport_parameters":                                                         "TestQUICRules",
	"the server sent no quic_transport_parameters":                                                         "TestQUICRules",
	"the client has a legacy_session_id, which QUIC has no use for":                                        "TestQUICRules",
	"the server shows no certificate beside the pre-shared key, and the Config demands both":               "TestCertificateBesideExternalPSK in tls",
	"the client's second ClientHello, encrypted, is for another server than its first":                     "TestAFrontServesOneName",
	"the client wants a certificate beside its PSK, and its hello lacks ":                                  "TestEveryBodyOfAClientHello",
	"the client's hello is one that we have sent ourselves, and its PSK is ours":                           "TestSelfie in tls",
	"the client offers no pre-shared key that could be used, and one is needed":                            "TestServerThatRequiresAnExternalPSK in tls",
	"the server takes none of our pre-shared keys, and the Config has it that one is needed":               "TestExternalPSKOrCertificate in tls",
	"the ticket limits early data to ":                                                                     "TestQUICAfterTheHandshake",
	"where ":                                                                                               "TestOnlyWhatIsDueIsTaken",
	" after the handshake":                                                                                 "TestAfterTheHandshake",
	"the peer's record claims to be of ":                                                                   "TestRecordHeaders",
	"the peer sent a record of type ":                                                                      "TestAfterTheHandshake",
	"the peer sent a handshake message of the unknown type ":                                               "TestOnlyWhatIsDueIsTaken",
	"the peer sent a record of unknown type ":                                                              "TestRecordHeaders",
	"the peer sent a record of ":                                                                           "TestRecordHeaders",
	" came inside a handshake message":                                                                     "TestInterleavedRecords",
	"a handshake message runs across a change of keys":                                                     "TestNothingRunsAcrossAChangeOfKeys",
	"the peer sent more than its flight":                                                                   "TestNothingFollowsAFlight",
	" KeyUpdates without data between them":                                                                "TestBudgets",
	" in a row that do nothing":                                                                            "TestBudgets",
	" bytes; the most we take is ":                                                                         "TestBudgets",
	"the change_cipher_spec's content is not 1":                                                            "TestChangeCipherSpecWhereItIsNotDue",
	"the peer sent a protected change_cipher_spec":                                                         "TestChangeCipherSpecWhereItIsNotDue",
	" during the handshake":                                                                                "TestApplicationDataBeforeTheFinished",
	"the peer sent an empty handshake record":                                                              "TestRecordHeaders",
	"the peer sent an empty alert record":                                                                  "TestRecordHeaders",
	"the peer's alert does not parse":                                                                      "TestRecordHeaders",
	"the KeyUpdate's request_update is neither 0 nor 1":                                                    "TestKeyUpdate",
	"the peer closed the connection during the handshake, by close_notify":                                 "TestAlertsAreTerminalEverywhere",
	"the peer closed the connection during the handshake":                                                  "TestAlertsAreTerminalEverywhere",
	"the peer's stream ended without a close_notify, so what was received may not be all":                  "TestTheEndOfTheStream",
	"the connection is closed for writing":                                                                 "TestEveryOffenceHasItsAlert",
	"keying material of negative length was asked for":                                                     "TestEarlyExporter in tls",
	"no type of certificate was agreed on with the client, so that it can show an X.509 certificate alone": "TestRawPublicKeysAskedForLater in tls",
	"this is not a request of the ":                                                                        "TestAuthenticatorsAgainstTheRules in tls",
	"the authenticator is not of this connection and this request, or was changed":                         "TestAuthenticatorsAgainstTheRules in tls",
	"'s authenticator is neither Certificate, CertificateVerify and Finished nor a Finished alone":         "TestAuthenticatorsAgainstTheRules in tls",
	"there are bytes behind the ":                                                                          "TestAuthenticatorsAgainstTheRules in tls",
	"the authenticator's Certificate is empty":                                                             "TestAuthenticatorsAgainstTheRules in tls",
	"the authenticator has an extension that was not asked for: ":                                          "TestAuthenticatorsAgainstTheRules in tls",
	"keys cannot be updated in ":                                                                           "TestKeyUpdate",
	"the peer does not want to renegotiate; the connection goes on as it was":                              "TestDeclined",
	"the peer begins one handshake after the other and does not take our answers":                          "TestFloodsOfHandshakes",
	"the certificate's private key cannot sign delegated credentials":                                      "TestDelegateRefuses in tls",
	" has no renegotiation":                                                                                "TestWhatCannotBeAsked",
	"a further handshake is already under way":                                                             "TestWhatCannotBeAsked",
	"the peer does not know RFC 5746, without which a renegotiation can be spliced in by somebody else":    "TestWhatCannotBeAsked",
	"the client does not offer to be asked for a certificate after the handshake":                          "TestWhatCannotBeAsked",
	"a further handshake is under way, and what the peer has sent before must be read first: call Read":    "TestHeldDataIsBounded",
	"keying material cannot be exported from a connection of ":                                             "TestExportNeedsExtendedMasterSecret",
	"the keys have protected as much as is safe for a cipher with blocks of 64 bits (Sweet32)":             "TestWornKeys",
	" bytes; at most ":                      "TestSettingsThatDoNotFit in tls",
	" ended the connection with the alert ": "TestAlertsAreTerminalEverywhere",
}

// Every rule in the source is broken by a test.
func TestEveryRuleHasAnOffence(t *testing.T) {
	var met []string
	for _, o := range offences() {
		if err := o.commit(t).err; err != nil {
			met = append(met, err.Error())
		}
	}
	for _, dir := range []string{".", "../handshake"} {
		for _, rule := range rulesIn(t, dir) {
			broken := slices.ContainsFunc(met, func(text string) bool { return strings.Contains(text, rule) })
			if !broken && elsewhere[rule] == "" {
				t.Errorf("%s: no offence breaks %q", dir, rule)
			}
			if broken && elsewhere[rule] != "" {
				t.Errorf("%s: %q is broken by an offence now; take it out of elsewhere", dir, rule)
			}
		}
	}
}

// rulesIn finds what the errors made in the package in dir say: the longest
// constant part of each.
func rulesIn(t *testing.T, dir string) (rules []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			var rule ast.Expr
			what := false
			switch n := n.(type) {
			case *ast.CallExpr:
				if name, ok := n.Fun.(*ast.Ident); ok && (name.Name == "fault" || name.Name == "disagree") {
					rule, what = n.Args[1], name.Name == "disagree"
				}
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Rule" {
					rule = n.Value
				}
			}
			if part := longest(rule); part != "" {
				if what {
					part = "no " + part + " in common"
				}
				rules = append(rules, part)
			}
			return true
		})
	}
	return rules
}

var verb = regexp.MustCompile("%[a-zA-Z]")

// longest is the longest constant part of an expression that makes a string.
func longest(e ast.Expr) (part string) {
	if e == nil {
		return ""
	}
	ast.Inspect(e, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(lit.Value)
		if err != nil {
			return true
		}
		for _, piece := range verb.Split(text, -1) {
			if len(piece) > len(part) {
				part = piece
			}
		}
		return true
	})
	return part
}
