package page

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/vitrine-tls/vitrine/internal/proof/browser"
)

// openTab writes a page and shows it.
func openTab(t *testing.T, b *browser.Browser, p Page) *browser.Tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(write(t, p)), 0o600); err != nil {
		t.Fatal(err)
	}
	x := b.Open(t)
	x.Go("file://" + file)
	x.Wait(`document.querySelector("#settings select") !== null`)
	return x
}

// The page in a browser: nothing on the console, the rules of accessibility find nothing,
// light or dark, no line is wider than a phone, and the tabulator reaches every control. A
// hostile server changes none of that, and adds no element.
func TestBrowser(t *testing.T) {
	b := browser.Start(t)
	for name, p := range map[string]Page{"three": keptPage(t), "one": {Servers: keptPage(t).Servers[1:2]}, "hostile": hostilePage()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := openTab(t, b, p)
			x.Shot(name + "-light")
			if name != "three" { // it has a hundred controls, of the same kinds
				tabThrough(x)
			}
			x.Accessible(name)
			x.Shot(name + "-dark")
			x.Size(360, 900)
			const widest = `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !e.closest(".scroll, .skip")).map((e) => e.outerHTML.slice(0, 100))[0]`
			if over := browser.Eval[float64](x, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
				t.Errorf("%.0f px too wide for a phone: %v", over, browser.Eval[any](x, widest))
			}
			x.Shot(name + "-phone")
			if n := browser.Eval[int](x, `document.querySelectorAll("img, script:not(body > script), iframe, object, [onclick], [onerror]").length`); n > 0 {
				t.Errorf("a server's text has become %d elements", n)
			}
			if broken := browser.Eval[[]string](x, `[...document.querySelectorAll("a[href^='#']")].filter((a) => !document.getElementById(a.hash.slice(1))).map((a) => a.hash)`); len(broken) > 0 {
				t.Errorf("links lead nowhere: %q", broken)
			}
		})
	}
}

func tabThrough(x *browser.Tab) {
	x.T.Helper()
	const controls = `[...document.querySelectorAll("a[href], button, select, [tabindex='0']")].filter((e) => e.checkVisibility())`
	n := browser.Eval[int](x, "window.controls = "+controls+"; window.reached = new Set(); window.addEventListener('focusin', (e) => reached.add(e.target)); document.activeElement.blur(); controls.length")
	for range n + 2 {
		x.Do(chromedp.KeyEvent("\t"))
	}
	for _, missed := range browser.Eval[[]string](x, `controls.filter((c) => !reached.has(c)).map((c) => c.outerHTML.slice(0, 120))`) {
		x.T.Errorf("the tabulator does not reach %s", missed)
	}
}

// A button copies its configuration, or selects it, and says which. The colours can be chosen.
func TestControls(t *testing.T) {
	b := browser.Start(t)
	x := openTab(t, b, keptPage(t))
	browser.Eval[any](x, `document.querySelector(".fix button").click()`)
	x.Wait(`document.querySelector(".fix [role=status]").textContent !== ""`)
	if got := browser.Eval[string](x, `document.querySelector(".fix [role=status]").textContent.startsWith("Copied") ? "" : String(getSelection()).trim() === document.querySelector(".fix pre").textContent.trim() ? "" : String(getSelection())`); got != "" {
		t.Errorf("neither copied nor selected: %q", got)
	}
	before := browser.Eval[string](x, `getComputedStyle(document.body).backgroundColor`)
	browser.Eval[any](x, `(() => { const s = document.querySelector("#settings select"); s.value = "dark"; s.dispatchEvent(new Event("change")); })()`)
	if after := browser.Eval[string](x, `getComputedStyle(document.body).backgroundColor`); after == before {
		t.Errorf("dark is %s, as light", after)
	}
}
