package lab

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/vitrine-tls/vitrine/internal/proof/browser"
)

// browsing is a tab that shows the lab.
type browsing struct{ *browser.Tab }

// visit shows the lab in a browser.
func visit(t *testing.T, s *site, width, height int64) *browsing {
	t.Helper()
	b := &browsing{browser.Start(t).Open(t)}
	b.Size(width, height)
	b.Go(s.url())
	b.Wait("document.documentElement.dataset.ready === 'true'")
	return b
}

// text is what an expression gives.
func (b *browsing) text(expression string) string {
	b.T.Helper()
	return browser.Eval[string](b.Tab, expression)
}

var update = flag.Bool("update", false, "take the pictures of docs/lab.md anew")

// pictures are those of docs/lab.md.
var pictures = []string{"lab-honest", "lab-touch", "lab-noticed", "lab-experiment"}

// show takes a picture of docs/lab.md with -update, and any other where pictures are wanted.
func (b *browsing) show(name string) {
	if *update && slices.Contains(pictures, name) {
		b.Picture("../../../../../docs/" + name + ".png")
		return
	}
	b.Shot(name)
}

// accounts waits until both accounts are there.
func (b *browsing) accounts() {
	b.T.Helper()
	b.Wait("document.querySelectorAll('iframe').length === 2 && [...document.querySelectorAll('iframe')].every((f) => f.contentDocument?.documentElement?.dataset.recomputed === 'true')")
}

// in is an expression for something in the account of a side, 0 for the client's.
func in(side, expression string) string {
	return "document.querySelectorAll('iframe')[" + side + "].contentDocument." + expression
}

// A person puts a connection together, reads it, touches it and is told who noticed.
func TestInABrowser(t *testing.T) {
	b := visit(t, serving(t), 1280, 860)
	if at := b.text("location.href"); strings.Contains(at, "token") {
		t.Errorf("the token is still in the address: %s", at)
	}
	b.show("begin")
	b.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("f-max").value = "TLS 1.2"`), chromedp.Click("#run"))
	b.accounts()
	b.show("lab-honest")
	b.Do(chromedp.Evaluate[chromedp.Void](in("0", "querySelector('input[name=mode][value=bytes]').click()")))
	b.Do(chromedp.Evaluate[chromedp.Void](in("0", "querySelectorAll('details.record')[1].querySelector('summary').click()")))
	b.Wait("!!" + in("0", "querySelectorAll('details.record')[1].querySelector('.hex .run')"))
	b.Do(chromedp.Evaluate[chromedp.Void](in("0", "querySelectorAll('details.record')[1].querySelectorAll('.hex .bytes .run')[7].click()")))
	b.Wait("document.querySelectorAll('#touch option').length > 5")
	if where := b.text("document.querySelector('#touch .lookat').textContent"); !strings.Contains(where, "ServerHello, record 2, in the client's account") {
		t.Errorf("what is selected: %s", where)
	}
	b.show("lab-touch")
	b.Do(chromedp.Click("#touch .main"))
	b.Wait("document.querySelector('#finding').textContent.includes('What was done')")
	b.accounts()
	b.show("lab-noticed")
	for _, want := range []string{"It was noticed", "decrypt_error", "ServerKeyExchange", "RFC 8446 §4.4.3", "client", "Without that defence"} {
		if found := b.text("document.querySelector('#finding').textContent"); !strings.Contains(found, want) {
			t.Errorf("the finding lacks %q: %s", want, found)
		}
	}
	b.Wait("document.activeElement.id === 'finding-title'")
	b.Do(chromedp.Click("#finding .history .button"))
	b.Wait("document.querySelector('#finding-title').textContent.includes('is complete')")
	b.Do(chromedp.Click("[data-view=shelf]"), chromedp.Click("[data-name=truncation]"), chromedp.Click("#story .button"))
	b.Wait("document.querySelectorAll('.claims li').length === 4")
	b.show("lab-experiment")
}

// The pictures of docs/lab.md are there.
func TestPictures(t *testing.T) {
	text, err := os.ReadFile("../../../../../docs/lab.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pictures {
		if info, err := os.Stat("../../../../../docs/" + name + ".png"); err != nil || info.Size() > 400<<10 || !strings.Contains(string(text), "("+name+".png)") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each look of the page: a setup that makes no sense, an experiment, dark, a phone.
func TestLooks(t *testing.T) {
	b := visit(t, serving(t), 1400, 1000)
	schemes, widths := []string{"dark"}, []int64{390} // the other test has light and wide
	if os.Getenv("VITRINE_SHOTS") != "" {
		schemes, widths = []string{"light", "dark"}, []int64{1400, 390}
	}
	for _, scheme := range schemes {
		b.Scheme(scheme)
		for _, width := range widths {
			name := scheme + map[int64]string{1400: "", 390: "-phone"}[width]
			b.Size(width, 900)
			b.Do(chromedp.Click("[data-view=setup]"))
			b.Do(chromedp.Click("#run"))
			b.accounts()
			b.show(name + "-run")
			b.Do(chromedp.Click("[data-view=shelf]"), chromedp.Click("[data-name=truncation]"), chromedp.Click("#story .button"))
			b.Wait("document.querySelectorAll('.claims li').length === 4 && document.querySelectorAll('.claims .no').length === 0")
			b.show(name + "-experiment")
			b.Do(chromedp.Click(".runs .button"))
			b.accounts()
			b.show(name + "-accounts")
			if wide := b.text("String(document.documentElement.scrollWidth > innerWidth)"); wide == "true" {
				t.Errorf("%s: the page is wider than its window", name)
			}
		}
	}
}

// The rules of accessibility find nothing in each view, light or dark. What the frames show is
// the page of an account, which is held to the same.
func TestAccessible(t *testing.T) {
	b := visit(t, serving(t), 1280, 860)
	b.Accessible("a setup")
	b.Do(chromedp.Click("#run"))
	b.accounts()
	b.Accessible("a result")
	b.Do(chromedp.Click("[data-view=shelf]"))
	b.Accessible("the shelf")
	b.Do(chromedp.Click("[data-name=truncation]"), chromedp.Click("#story .button"))
	b.Wait("document.querySelectorAll('.claims li').length === 4")
	b.Accessible("an experiment")
}

// Everything can be reached and done by keyboard, and has a name for those that listen.
func TestByKeyboard(t *testing.T) {
	b := visit(t, serving(t), 1400, 1000)
	seen := map[string]bool{}
	for range 60 {
		b.Do(chromedp.KeyEvent("\t"))
		seen[b.text("document.activeElement.id || document.activeElement.dataset.view || document.activeElement.textContent")] = true
		if seen["run"] {
			break
		}
	}
	for _, id := range []string{"setup", "shelf", "f-preset", "f-min", "f-max", "f-suites", "f-groups", "f-key", "f-authority", "f-client_certificate", "f-resume", "f-renegotiate", "f-psk", "f-compression", "f-retry", "run"} {
		if !seen[id] {
			t.Errorf("the tab key does not lead to %s: %v", id, seen)
		}
	}
	b.Do(chromedp.KeyEvent("\r"))
	b.accounts()
	if nameless := b.text(`[...document.querySelectorAll("button, select, input, textarea, iframe")].filter((e) => !(e.labels && e.labels.length && e.labels[0].textContent.trim()) && !e.textContent.trim() && !e.title && !e.getAttribute("aria-label")).map((e) => e.outerHTML).join()`); nameless != "" {
		t.Errorf("without a name: %s", nameless)
	}
	if said := b.text("document.getElementById('said').textContent"); !strings.Contains(said, "The connection is complete") {
		t.Errorf("those that listen are told %q", said)
	}
}
