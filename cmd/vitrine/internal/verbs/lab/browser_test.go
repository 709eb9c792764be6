package lab

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browsing is a tab of a real browser, and what it has complained of.
type browsing struct {
	context.Context
	t *testing.T
}

// browser opens a tab of headless Chromium. A machine without one skips the test, unless
// VITRINE_INTEROP=require or CI say that there must be one.
func browser(t *testing.T) *browsing {
	t.Helper()
	path, err := exec.LookPath("chromium")
	switch {
	case os.Getenv("VITRINE_INTEROP") == "off":
		t.Skip("VITRINE_INTEROP=off")
	case err != nil && (os.Getenv("VITRINE_INTEROP") == "require" || os.Getenv("CI") == "true"):
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.ExecPath(path), chromedp.Flag("disable-quic", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, late := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(late)
	b := &browsing{ctx, t}
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
		return err
	}))
	var mu sync.Mutex
	complain := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		t.Errorf("the browser says: %s", what)
	}
	if err := chromedp.Listen(b, func(e any) {
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			complain(e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			for _, a := range e.Args {
				complain(string(a.Value))
			}
		case *log.EventEntryAdded:
			complain(e.Entry.Text)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browsing) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// until waits until an expression is true.
func (b *browsing) until(expression string) {
	b.t.Helper()
	if _, err := chromedp.Run(b, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(time.Minute))); err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
}

// text is what an expression gives.
func (b *browsing) text(expression string) string {
	b.t.Helper()
	s, err := chromedp.Run(b, chromedp.Evaluate[string](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return s
}

// scheme has the page be light or dark.
func (b *browsing) scheme(name string) {
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
		return err
	}))
}

var update = flag.Bool("update", false, "take the pictures of docs/lab.md anew")

// pictures are those of docs/lab.md.
var pictures = []string{"lab-honest", "lab-touch", "lab-noticed", "lab-experiment"}

// shot takes a picture of docs/lab.md with -update, and any other for the folder in
// LAB_SHOTS.
func (b *browsing) shot(name string) {
	dir := os.Getenv("LAB_SHOTS")
	if *update && slices.Contains(pictures, name) {
		dir = "../../../../../docs"
	}
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(dir+"/"+name+".png", png, 0o644)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// accounts waits until both accounts are there.
func (b *browsing) accounts() {
	b.t.Helper()
	b.until("document.querySelectorAll('iframe').length === 2 && [...document.querySelectorAll('iframe')].every((f) => f.contentDocument?.documentElement?.dataset.recomputed === 'true')")
}

// in is an expression for something in the account of a side, 0 for the client's.
func in(side, expression string) string {
	return "document.querySelectorAll('iframe')[" + side + "].contentDocument." + expression
}

// A person puts a connection together, reads it, touches it and is told who noticed.
func TestInABrowser(t *testing.T) {
	s, b := serving(t), browser(t)
	b.do(chromedp.EmulateViewport(1280, 860), chromedp.Navigate(s.url()))
	b.until("document.documentElement.dataset.ready === 'true'")
	if at := b.text("location.href"); strings.Contains(at, "token") {
		t.Errorf("the token is still in the address: %s", at)
	}
	b.shot("begin")
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("f-max").value = "TLS 1.2"`), chromedp.Click("#run"))
	b.accounts()
	b.shot("lab-honest")
	b.do(chromedp.Evaluate[chromedp.Void](in("0", "querySelector('input[name=mode][value=bytes]').click()")))
	b.do(chromedp.Evaluate[chromedp.Void](in("0", "querySelectorAll('details.record')[1].querySelector('summary').click()")))
	b.until("!!" + in("0", "querySelectorAll('details.record')[1].querySelector('.hex .run')"))
	b.do(chromedp.Evaluate[chromedp.Void](in("0", "querySelectorAll('details.record')[1].querySelectorAll('.hex .bytes .run')[7].click()")))
	b.until("document.querySelectorAll('#touch option').length > 5")
	if where := b.text("document.querySelector('#touch .lookat').textContent"); !strings.Contains(where, "ServerHello, record 2, in the client's account") {
		t.Errorf("what is selected: %s", where)
	}
	b.shot("lab-touch")
	b.do(chromedp.Click("#touch .main"))
	b.until("document.querySelector('#finding').textContent.includes('What was done')")
	b.accounts()
	b.shot("lab-noticed")
	for _, want := range []string{"It was noticed", "decrypt_error", "ServerKeyExchange", "RFC 8446 §4.4.3", "client", "Without that defence"} {
		if found := b.text("document.querySelector('#finding').textContent"); !strings.Contains(found, want) {
			t.Errorf("the finding lacks %q: %s", want, found)
		}
	}
	b.until("document.activeElement.id === 'finding-title'")
	b.do(chromedp.Click("#finding .history .button"))
	b.until("document.querySelector('#finding-title').textContent.includes('is complete')")
	b.do(chromedp.Click("[data-view=shelf]"), chromedp.Click("[data-name=truncation]"), chromedp.Click("#story .button"))
	b.until("document.querySelectorAll('.claims li').length === 4")
	b.shot("lab-experiment")
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
	s, b := serving(t), browser(t)
	b.do(chromedp.EmulateViewport(1400, 1000), chromedp.Navigate(s.url()))
	b.until("document.documentElement.dataset.ready === 'true'")
	schemes, widths := []string{"dark"}, []int64{390} // the other test has light and wide
	if os.Getenv("LAB_SHOTS") != "" {
		schemes, widths = []string{"light", "dark"}, []int64{1400, 390}
	}
	for _, scheme := range schemes {
		b.scheme(scheme)
		for _, width := range widths {
			name := scheme + map[int64]string{1400: "", 390: "-phone"}[width]
			b.do(chromedp.EmulateViewport(width, 900))
			b.do(chromedp.Click("[data-view=setup]"))
			b.do(chromedp.Click("#run"))
			b.accounts()
			b.shot(name + "-run")
			b.do(chromedp.Click("[data-view=shelf]"), chromedp.Click("[data-name=truncation]"), chromedp.Click("#story .button"))
			b.until("document.querySelectorAll('.claims li').length === 4 && document.querySelectorAll('.claims .no').length === 0")
			b.shot(name + "-experiment")
			b.do(chromedp.Click(".runs .button"))
			b.accounts()
			b.shot(name + "-accounts")
			if wide := b.text("String(document.documentElement.scrollWidth > innerWidth)"); wide == "true" {
				t.Errorf("%s: the page is wider than its window", name)
			}
		}
	}
}

// Everything can be reached and done by keyboard, and has a name for those that listen.
func TestByKeyboard(t *testing.T) {
	s, b := serving(t), browser(t)
	b.do(chromedp.EmulateViewport(1400, 1000), chromedp.Navigate(s.url()))
	b.until("document.documentElement.dataset.ready === 'true'")
	seen := map[string]bool{}
	for range 60 {
		b.do(chromedp.KeyEvent("\t"))
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
	b.do(chromedp.KeyEvent("\r"))
	b.accounts()
	if nameless := b.text(`[...document.querySelectorAll("button, select, input, textarea, iframe")].filter((e) => !(e.labels && e.labels.length && e.labels[0].textContent.trim()) && !e.textContent.trim() && !e.title && !e.getAttribute("aria-label")).map((e) => e.outerHTML).join()`); nameless != "" {
		t.Errorf("without a name: %s", nameless)
	}
	if said := b.text("document.getElementById('said').textContent"); !strings.Contains(said, "The connection is complete") {
		t.Errorf("those that listen are told %q", said)
	}
}
