package page

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/proof/browser"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// tab is a page in the browser.
type tab struct{ *browser.Tab }

// openTab writes accounts as a page and shows it.
func openTab(t *testing.T, b *browser.Browser, p Page, hash string) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(write(t, p)), 0o600); err != nil {
		t.Fatal(err)
	}
	x := &tab{b.Open(t)}
	x.Go("file://" + file + hash)
	x.Wait("document.documentElement.dataset.recomputed === 'true'")
	return x
}

func one(c *explain.Connection) Page { return Page{Connections: []*explain.Connection{c}} }
