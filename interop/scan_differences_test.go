package interop

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/wire"
)

var update = flag.Bool("update", false, "write the table of differences in docs/scan.md anew")

// A difference is something on which scan and another scanner do not agree, and why.
type difference struct {
	program, version string
	rows             []string // of scanRows
	line             string   // of ourLines, or groups of all versions
	scan, theirs     string
	why              string
	// group is what the server's HelloRetryRequest asks for, and proof its extension key_share in
	// hexadecimal, where that shows who is right.
	group wire.NamedGroup
	proof string
}

// differences are all that the tests of agreement let pass.
var differences = []difference{
	{"sslscan", "2.0.7", []string{"crypto/tls: as it is", "vitrine: as it is"}, "groups of TLS 1.3", "X25519MLKEM768", "nothing of it",
		"It knows no group with ML-KEM.", wire.GroupX25519MLKEM768, "0033000211ec"},
	{"sslscan", "2.0.7", []string{"GnuTLS: what it has by itself for TLS 1.3"}, "groups of TLS 1.3", "ffdhe8192", "nothing of it, now and then",
		"It does not find it, and does not say why.", wire.GroupFFDHE8192, "003300020104"},
	{"testssl.sh", "3.0.8", []string{"vitrine: as it is"}, "groups", "X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024", "nothing of them",
		"It knows no group with ML-KEM.", wire.GroupX25519MLKEM768, "0033000211ec"},
}

// differenceAt finds the one that is known of a row's line; nil for none.
func differenceAt(program, row, line string) *difference {
	i := slices.IndexFunc(differences, func(d difference) bool {
		return d.program == program && d.line == line && slices.Contains(d.rows, row)
	})
	if i < 0 {
		return nil
	}
	return &differences[i]
}

// prove has the server say itself what it takes.
func (d *difference) prove(ctx context.Context, t *testing.T, at scan.Target) {
	h := scan.Offer(wire.TLS13)
	h.Groups, h.Shares = []wire.NamedGroup{d.group}, nil
	a, err := new(scan.Prober).Do(ctx, at, scan.Probe{Name: d.why, Hello: h})
	if err != nil {
		t.Fatal(err)
	}
	if a.Retry == nil {
		t.Errorf("the server asks for no %v: %v", d.group, a.End)
		return
	}
	body, _ := a.Retry.Extensions.Find(wire.ExtKeyShare)
	if got := fmt.Sprintf("0033%04x%s", len(body), hex.EncodeToString(body)); got != d.proof {
		t.Errorf("its HelloRetryRequest has %s, and docs/scan.md says %s", got, d.proof)
	}
}

// docs/scan.md has a row for each difference, and says what proves it.
func TestDifferencesStandInTheDocs(t *testing.T) {
	const name, begin, end = "../docs/scan.md", "<!-- differences -->\n", "<!-- end of differences -->"
	var b strings.Builder
	b.WriteString("| program | at | on | scan says | it says | why | the server's bytes |\n|---|---|---|---|---|---|---|\n")
	for _, d := range differences {
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s | %s | %s | `%s` |\n", d.program, d.version, strings.Join(d.rows, "; "), d.line, d.scan, d.theirs, d.why, d.proof)
		for _, row := range d.rows {
			if !slices.ContainsFunc(scanRows(), func(r scanRow) bool { return r.name == row }) {
				t.Errorf("there is no server %q", row)
			}
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, also := strings.Cut(rest, end)
	if !ok || !also {
		t.Fatalf("%s has no marks for the differences", name)
	}
	want := before + begin + "\n" + b.String() + "\n" + end + after
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Errorf("the table of differences in %s is another; run with -update", name)
	}
}
