package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
)

// accounts are the kept accounts of package explain, by the names of their files.
func accounts(t *testing.T) map[string]*explain.Connection {
	t.Helper()
	files, err := filepath.Glob("../testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	all := map[string]*explain.Connection{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		c := new(explain.Connection)
		if err := json.Unmarshal(raw, c); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		all[strings.TrimSuffix(filepath.Base(f), ".json")] = c
	}
	return all
}

func write(t *testing.T, p Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// between is the text between two others.
func between(t *testing.T, s, begin, end string) string {
	t.Helper()
	_, s, ok := strings.Cut(s, begin)
	s, _, ok2 := strings.Cut(s, end)
	if !ok || !ok2 {
		t.Fatalf("nothing between %q and %q", begin, end)
	}
	return s
}

// The policy allows what is in the page, by its hash, and nothing else; and what an
// account says cannot get out of its element.
func TestNothingButItself(t *testing.T) {
	c := accounts(t)["rfc8448-simple"]
	c.Target, c.Warnings = `</title><script>alert(1)</script>`, []string{`</script><script>alert(2)</script>`, `<!--<script>`}
	out := write(t, Page{Connections: []*explain.Connection{c}})
	policy := between(t, out, `Content-Security-Policy" content="`, `"`)
	style, script := between(t, out, "<style>", "</style>"), out[strings.LastIndex(out, "<script>")+len("<script>"):strings.LastIndex(out, "</script>")]
	for _, want := range []string{"default-src 'none'", "script-src '" + hashOf(script) + "'", "style-src '" + hashOf(style) + "'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Count(out, "<script") != 2 || strings.Contains(out, "<!--") {
		t.Errorf("something got out of its element, or may: policy %q, %d scripts", policy, strings.Count(out, "<script"))
	}
	var got content
	if err := json.Unmarshal([]byte(between(t, out, `id="data">`, "</script>")), &got); err != nil || got.Accounts[0].Connection.Warnings[0] != c.Warnings[0] {
		t.Errorf("the data is not what was given: %v", err)
	}
}

// Every kept account makes a page of less than the bound.
func TestSize(t *testing.T) {
	const most = 2 << 20
	for name, c := range accounts(t) {
		if out := write(t, Page{Connections: []*explain.Connection{c}}); len(out) > most {
			t.Errorf("%s: %d bytes", name, len(out))
		}
	}
}

// The lists name each file once.
func TestLists(t *testing.T) {
	for kind, list := range map[string][]string{"js": modules, "css": sheets} {
		entries, err := fs.ReadDir(assets, path.Join("assets", kind))
		if err != nil {
			t.Fatal(err)
		}
		var have []string
		for _, e := range entries {
			have = append(have, strings.TrimSuffix(e.Name(), "."+kind))
		}
		listed := slices.Sorted(slices.Values(list))
		if !slices.Equal(have, listed) {
			t.Errorf("%s: the files are %q, the list is %q", kind, have, listed)
		}
	}
}

// The modules share one scope, in which a second function of a name would quietly take the
// place of the first.
func TestNamesAreUnique(t *testing.T) {
	names := map[string]bool{}
	top := regexp.MustCompile(`(?m)^(?:async )?(?:function|class|const|let) (\w+)`)
	for _, m := range top.FindAllStringSubmatch(scripts(), -1) {
		if names[m[1]] {
			t.Errorf("%s is there twice", m[1])
		}
		names[m[1]] = true
	}
	if len(names) < 100 {
		t.Errorf("only %d names were found", len(names))
	}
}

// What else could stand in a field is what vitrine has names for.
func TestValues(t *testing.T) {
	want := map[string]string{"cipher_suite": "TLS_AES_128_GCM_SHA256", "group": "x25519", "msg_type": "ClientHello", "description": "close_notify", "level": "fatal",
		"extension_type": "key_share", "version": "TLS 1.3", "signature_scheme": "ed25519", "mode": "psk_dhe_ke", "cipher_spec": "SSL_CK_RC4_128_WITH_MD5"}
	for _, l := range values() {
		for _, v := range l.Values {
			if nameless(v.Name) {
				t.Errorf("%s: %q is not a name", l.Title, v.Name)
			}
			for _, f := range l.Fields {
				if want[f] == v.Name {
					delete(want, f)
				}
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// A page of nothing is refused, and what cannot be written is an error.
func TestErrors(t *testing.T) {
	if err := Write(new(bytes.Buffer), Page{}); !errors.Is(err, errEmpty) {
		t.Errorf("a page of nothing: %v", err)
	}
	full := errors.New("no space left")
	if err := Write(failing{full}, Page{Connections: []*explain.Connection{{Format: explain.Format}}}); !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// A page has every translation, and says in which language it is; where that is left to the
// browser it says English until its script runs.
func TestLanguages(t *testing.T) {
	c := accounts(t)["rfc8448-simple"]
	for lang, tag := range map[string]string{"": "en", "en": "en", "zh": "zh-Hans"} {
		out := write(t, Page{Connections: []*explain.Connection{c}, Lang: lang})
		var got content
		if err := json.Unmarshal([]byte(between(t, out, `id="data">`, "</script>")), &got); err != nil {
			t.Fatal(err)
		}
		if between(t, out, `<html lang="`, `"`) != tag || got.Lang != lang || got.Texts["zh"]["The story"] != "故事" || len(got.Texts) != len(Languages())-1 {
			t.Errorf("%q: the page says %q, and has the languages %d", lang, between(t, out, `<html lang="`, `"`), len(got.Texts))
		}
	}
}
