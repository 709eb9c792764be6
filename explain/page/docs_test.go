package page

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/browser"
)

var update = flag.Bool("update", false, "write the pages and pictures of docs again")

const docs = "../../docs"

// withoutTexts is a page without its translations, which others change often.
func withoutTexts(page []byte) string {
	before, after, _ := bytes.Cut(page, []byte(`,"texts":{`))
	_, after, _ = bytes.Cut(after, []byte("</script>"))
	return string(before) + string(after)
}

// The pages in docs/examples are what is written today of the kept accounts, but for the
// translations in them.
func TestExamples(t *testing.T) {
	for file, account := range map[string]string{"tls13.html": "rfc8448-simple", "tls12.html": "live-tls12-cbc"} {
		got := []byte(write(t, one(accounts(t)[account])))
		file = filepath.Join(docs, "examples", file)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(file); err != nil || withoutTexts(got) != withoutTexts(want) {
			t.Errorf("%s is not what is written today; run go test ./explain/page -run Examples -update (%v)", file, err)
		}
	}
}

// pictures are those of the tour: an account, and what is done to its page before its
// picture is taken.
var pictures = []struct {
	name, account, scheme string
	width, height         int64
	script                string
}{
	{"story", "rfc8448-simple", "light", 1100, 860, ``},
	{"ladder", "rfc8448-simple", "light", 1100, 900, `location.hash = "#c1-ladder"`},
	{"bytes", "rfc8448-simple", "light", 1280, 760, `location.hash = "#c1-r1-w50+6"`},
	{"opened", "live-tls12-cbc", "dark", 1280, 760, `location.hash = "#c1-r5-i4+12"; requestAnimationFrame(() => document.querySelector("#c1-r5").scrollIntoView())`},
	{"secrets", "rfc8448-simple", "light", 1100, 800, `location.hash = "#c1-secrets"`},
	{"covers", "live-tls13-client-auth", "light", 1100, 480, `location.hash = "#c1-transcript"; requestAnimationFrame(() => document.querySelector(".covers").scrollIntoView({block: "center"}))`},
	{"phone", "live-tampered", "dark", 360, 720, ``},
}

// The pictures of the tour are there, and each is shown. With -update a browser takes them
// again.
func TestPictures(t *testing.T) {
	dir := filepath.Join(docs, "pictures")
	if *update {
		takePictures(t, dir)
	}
	tour, err := os.ReadFile(filepath.Join(docs, "explain.md"))
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, m := range regexp.MustCompile(`\]\(pictures/(\w+)\.png\)`).FindAllSubmatch(tour, -1) {
		shown = append(shown, string(m[1]))
	}
	const most = 300 << 10
	for _, p := range pictures {
		raw, err := os.ReadFile(filepath.Join(dir, p.name+".png"))
		if err != nil || !bytes.HasPrefix(raw, []byte("\x89PNG")) || len(raw) > most {
			t.Errorf("%s: %d bytes, %v", p.name, len(raw), err)
		}
		if !slices.Contains(shown, p.name) {
			t.Errorf("docs/explain.md does not show %s", p.name)
		}
	}
	if len(shown) != len(pictures) {
		t.Errorf("docs/explain.md shows %q", shown)
	}
}

func takePictures(t *testing.T, dir string) {
	b := browser.Start(t)
	all := accounts(t)
	for _, p := range pictures {
		x := openTab(t, b, one(all[p.account]), "")
		x.Scheme(p.scheme)
		x.Size(p.width, p.height)
		browser.Eval[any](x.Tab, p.script+"; 0")
		browser.Eval[any](x.Tab, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100))))`)
		x.Picture(filepath.Join(dir, p.name+".png"))
	}
}
