package page

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/proof/browser"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

//go:embed testdata/check.js
var checkScript string

// The page of every kind of connection, in a browser: nothing on the console, every byte
// has a name, the browser computes what we computed, no line is wider than a phone, and
// the rules of accessibility find nothing, light or dark. VITRINE_INTEROP=require has all
// kinds, which takes minutes.
func TestPages(t *testing.T) {
	b := browser.Start(t)
	all := kinds(t)
	names := slices.Sorted(maps.Keys(all))
	if !programs.Required() {
		names = []string{"live-refused", "live-tls12-cbc", "rfc8448-retry"}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if all[name] == nil {
				t.Fatal("there is no such kind")
			}
			x := openTab(t, b, one(all[name]), "")
			x.Shot(name + "-light-story")
			for _, problem := range browser.Eval[[]string](x.Tab, checkScript) {
				t.Error(problem)
			}
			x.Shot(name + "-light")
			x.Accessible(name)
			x.Shot(name + "-dark")
			x.fits(name)
		})
	}
}

// fits looks at both modes on a phone.
func (x *tab) fits(name string) {
	x.T.Helper()
	x.Size(360, 900)
	for _, mode := range []string{"bytes", "story"} {
		browser.Eval[any](x.Tab, `document.querySelector("input[name=mode][value=`+mode+`]").click()`)
		const widest = `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !e.closest(".hex, .scroll, .hidden, .skip, .tabs, pre") && getComputedStyle(e).display !== "none").map((e) => e.outerHTML.slice(0, 100))[0]`
		if over := browser.Eval[float64](x.Tab, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
			x.T.Errorf("%s: %.0f px too wide for a phone: %v", mode, over, browser.Eval[any](x.Tab, widest))
		}
		x.Shot(name + "-phone-" + mode)
	}
}

// The tabulator reaches every control, in both modes, and the arrows every field of an
// open record.
func TestKeyboard(t *testing.T) {
	b := browser.Start(t)
	all := accounts(t)
	names := []string{"live-refused", "rfc8448-simple", "live-tls12-renegotiation"}
	if !programs.Required() {
		names = names[:1]
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := openTab(t, b, one(all[name]), "")
			for _, mode := range []string{"story", "bytes"} {
				x.tabThrough(mode)
			}
			x.arrows()
		})
	}
}

func (x *tab) tabThrough(mode string) {
	x.T.Helper()
	browser.Eval[any](x.Tab, `document.querySelector("input[name=mode][value=`+mode+`]").click(); document.activeElement.blur(); scrollTo(0, 0)`)
	const controls = `[...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")].filter((e) => e.checkVisibility() && (e.type !== "radio" || e.checked) && e.tabIndex >= 0)`
	want := browser.Eval[int](x.Tab, "window.controls = "+controls+"; window.reached = new Set(); window.addEventListener('focusin', (e) => reached.add(e.target)); controls.length")
	for range want + 5 {
		x.Do(chromedp.KeyEvent("\t"))
	}
	for _, missed := range browser.Eval[[]string](x.Tab, `controls.filter((c) => !reached.has(c)).map((c) => c.outerHTML.slice(0, 120))`) {
		x.T.Errorf("%s: the tabulator does not reach %s", mode, missed)
	}
}

// arrows opens a record with the keyboard and walks its fields.
func (x *tab) arrows() {
	x.T.Helper()
	browser.Eval[any](x.Tab, `document.querySelector("details.record > summary").focus()`)
	x.Do(chromedp.KeyEvent("\r"))
	x.Wait(`document.querySelector("details.record[open] [role=treeitem]") !== null`)
	fields := browser.Eval[int](x.Tab, `(() => { const all = [...document.querySelectorAll("details.record[open] [role=treeitem]")]; all[0].focus(); return all.filter((i) => !i.hidden).length })()`)
	seen := map[string]bool{}
	for range fields {
		seen[browser.Eval[string](x.Tab, `document.activeElement.dataset.f`)] = true
		x.Do(chromedp.KeyEvent(kb.ArrowDown))
	}
	if len(seen) != fields {
		x.T.Errorf("the arrows reach %d of %d fields", len(seen), fields)
	}
}

// An address leads to its byte, also after the page was loaded.
func TestLinks(t *testing.T) {
	b := browser.Start(t)
	c := accounts(t)["rfc8448-simple"]
	x := openTab(t, b, Page{Connections: []*explain.Connection{c, c}}, "#c2-r3-i40")
	const chosen = `(() => { const i = document.activeElement; const box = i.closest("details.record"); const r = i.getBoundingClientRect(); return [box && box.id, i.querySelector(".name").textContent, i.getAttribute("aria-selected"), r.top >= 0 && r.bottom <= innerHeight, document.getElementById("c1").hidden].join() })()`
	if got, want := browser.Eval[string](x.Tab, chosen), "c2-r3,msg_type,true,true,true"; got != want {
		t.Errorf("the address leads to %q, not %q", got, want)
	}
	browser.Eval[any](x.Tab, `location.hash = "#c1-r1-w11"`)
	x.Wait(`!document.getElementById("c1").hidden && document.querySelector("#c1-r1[open] [aria-selected=true]") !== null`)
	if got, want := browser.Eval[string](x.Tab, chosen), "c1-r1,random,true,true,false"; got != want {
		t.Errorf("the address leads to %q, not %q", got, want)
	}
	for _, nowhere := range []string{"#c9-r1-w0", "#c1-r99-w0", "#c1-r1-w99999", "#c1-nothing", "#%zz", "#x"} {
		browser.Eval[any](x.Tab, fmt.Sprintf("location.hash = %q", nowhere))
	}
}

// What is searched for is found: a name, a value, and bytes; a hit leads to its place.
func TestSearch(t *testing.T) {
	b := browser.Start(t)
	x := openTab(t, b, one(accounts(t)["rfc8448-simple"]), "")
	for query, want := range map[string]string{"key_share": "key_share", "x25519": "group", "cb34ecb1e781": "random", "ecb1e78163ba": "random", "040305030603": "040305030603", "handshake_secret": "handshake_secret", "no such thing": "Nothing found."} {
		hit := browser.Eval[string](x.Tab, fmt.Sprintf(`(() => { const s = document.getElementById("search"); s.value = %q; s.dispatchEvent(new Event("input")); return document.querySelector(".hits .name, .hits p").textContent })()`, query))
		if hit != want {
			t.Errorf("%q: %q", query, hit)
		}
	}
	browser.Eval[any](x.Tab, `(() => { const s = document.getElementById("search"); s.value = "cookie"; s.value = "ticket_nonce"; s.dispatchEvent(new Event("input")); document.querySelector(".hits a").click() })()`)
	x.Wait(`document.activeElement.matches("[role=treeitem]") && document.activeElement.textContent.includes("ticket_nonce")`)
}

// A page is there in less than a second.
func TestSpeed(t *testing.T) {
	b := browser.Start(t)
	x := openTab(t, b, one(accounts(t)["live-tls12-renegotiation"]), "")
	took := x.Work()
	t.Log("worked for", took)
	if took > time.Second {
		t.Errorf("the page needs %v to be there", took)
	}
	if strings.Contains(browser.Eval[string](x.Tab, `performance.getEntriesByType("resource").map((e) => e.name).join()`), "http") {
		t.Error("the page loaded something")
	}
}
