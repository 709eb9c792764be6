package explain

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/explain/internal/catalogue"
)

// names are the texts of an account that stay as they are in every language: names of the
// protocol, and what the peers wrote. Each is a type and a field.
var names = map[string]bool{
	"Connection.format": true, "Connection.target": true, "Detail.text": true, "Event.mood": true, "Field.name": true, "Field.ref": true, "Field.value": true,
	"Message.name": true, "Message.ref": true, "Rung.name": true, "Rung.mood": true, "Point.name": true, "Handshake.messages": true,
	"Handshake.version": true, "Handshake.cipher_suite": true, "Handshake.key_exchange": true, "Handshake.hash": true,
	"Summary.version": true, "Summary.cipher_suite": true, "Summary.key_exchange": true, "Summary.psk_identity": true, "Summary.signature_scheme": true,
	"Summary.server_name": true, "Summary.alpn": true, "Summary.resumed": true, "Summary.compression": true, "Summary.limited_by": true,
	"Record.type": true, "Record.says": true, "Record.carries": true, "Choice.ours": true, "Choice.theirs": true, "Choice.picked": true, "Choice.ref": true,
	"Secret.name": true, "Secret.from": true, "Secret.salt": true, "Secret.label": true, "Secret.hash": true, "Secret.how": true, "Secret.ref": true,
	"Keys.version": true, "Keys.cipher_suite": true, "Keys.secret": true, "Keys.label": true, "Keys.ref": true, "Alert.code": true, "Alert.ref": true,
	"Message.covers": true, "Operation.with": true, "Operation.key": true,
}

// fixtures are texts that tests made up.
var fixtures = map[string]bool{"no error": true, "verified": true, "the certificate was verified": true, "one": true, "no": true}

// said are the texts that were looked at.
var said sync.Map

// mustBeSaid checks that every text of an account can be said in every language.
func (c *Connection) mustBeSaid(t *testing.T) {
	t.Helper()
	if c.Redacted {
		return // stand-ins are in its sentences, and no words
	}
	check := func(where, text string) {
		if _, done := said.LoadOrStore(text, true); done {
			return
		}
		for _, lang := range catalogue.Languages()[1:] {
			if left := english(catalogue.Translate(lang, text)); left != "" {
				t.Errorf("%s in %s: %q becomes %q, where %q is English", where, lang, text, catalogue.Translate(lang, text), left)
			}
		}
	}
	walk(reflect.ValueOf(c), "", check)
	for _, r := range c.Outcome() {
		if !fixtures[r.Text] {
			check("outcome", r.Text)
		}
	}
	for _, hs := range c.Handshakes {
		for _, o := range hs.Cost.Operations {
			check("cost", o.Words())
		}
	}
}

// walk calls do for each text of an account.
func walk(v reflect.Value, where string, do func(where, text string)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), where, do)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), where, do)
		}
	case reflect.String:
		if !names[where] && v.Len() > 0 && !fixtures[v.String()] {
			do(where, v.String())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "" && f.Type != reflect.TypeFor[Hex]() && f.Type != reflect.TypeFor[Mood]() {
				walk(v.Field(i), v.Type().Name()+"."+tag, do)
			}
		}
	}
}

var (
	inQuotes = regexp.MustCompile(`"(\\.|[^"\\])*"`)
	// identifier is what is no word: a name with other characters in it, or a flag.
	identifier = regexp.MustCompile(`[\w./@=+-]*[\d_./@=A-Z-][\w./@=+-]*`)
	word       = regexp.MustCompile(`[a-z]{2,}`)
	kept       = sync.OnceValues(func() (map[string]bool, error) {
		all := map[string]bool{}
		data, err := os.ReadFile("internal/catalogue/testdata/kept.txt")
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
				all[line] = true
			}
		}
		return all, err
	})
)

// english returns the words of a text that are English, without those that are names.
func english(text string) string {
	stay, err := kept()
	if err != nil {
		return err.Error()
	}
	text = identifier.ReplaceAllString(inQuotes.ReplaceAllString(text, ""), " ")
	var left []string
	for _, w := range word.FindAllString(text, -1) {
		if !stay[w] {
			left = append(left, w)
		}
	}
	return strings.Join(left, " ")
}

// What is not in the catalogue is found out.
func TestEnglishIsNoticed(t *testing.T) {
	for text, want := range map[string]string{
		"已重新解开 2 records":                         "records",
		"从 key_block 中切出：client_write_key[16]":    "",
		`标识 "hello there" · TLS 1.3 · x25519`:     "",
		"用 --cert 和 --key 给出 example.com:443 的证书": "",
		"none": "none",
	} {
		if got := english(text); got != want {
			t.Errorf("%q: %q is English, want %q", text, got, want)
		}
	}
}
