package page

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
)

// A page holds the accounts that it was written of.
func TestRead(t *testing.T) {
	all := accounts(t)
	want := []*explain.Connection{all["rfc8448-simple"], all["live-refused"]}
	var page bytes.Buffer
	if err := Write(&page, Page{Connections: want}); err != nil {
		t.Fatal(err)
	}
	whole := page.String()
	got, err := Read(&page)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d accounts, %v", len(got), err)
	}
	for i := range want {
		x, errX := json.Marshal(got[i])
		y, errY := json.Marshal(want[i])
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			t.Errorf("account %d is another one: %v, %v", i+1, errX, errY)
		}
	}
	for _, other := range []string{"", "<!doctype html><p>hello", whole[:strings.Index(whole, `"connection"`)+200], string(dataElement) + "{}", string(dataElement) + `{"accounts":[{}]}`} {
		if got, err := Read(strings.NewReader(other)); err == nil {
			t.Errorf("%.40q holds %d accounts", other, len(got))
		}
	}
}
