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
)

//go:embed testdata/check.js
var checkScript string

// The page of every kind of connection, in a browser: nothing on the console, every byte
// has a name, the browser computes what we computed, no line is wider than a phone, and
// the rules of accessibility find nothing, light or dark. VITRINE_INTEROP=require has all
// kinds, which takes minutes.
func TestPages(t *testing.T) {
	browser := startBrowser(t)
	rules, err := axe()
	if err != nil {
		need(t, err.Error())
	}
	all := kinds(t)
	names := slices.Sorted(maps.Keys(all))
	if !required() {
		names = []string{"live-refused", "live-tls12-cbc", "rfc8448-retry"}
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if all[name] == nil {
				t.Fatal("there is no such kind")
			}
			x := openTab(t, browser, "light", one(all[name]), "")
			x.shot(name + "-light-story")
			for _, problem := range eval[[]string](x, checkScript) {
				t.Error(problem)
			}
			eval[any](x, rules+"; 0")
			x.accessible("light", "{}")
			x.shot(name + "-light")
			x.scheme("dark")
			x.accessible("dark", `{runOnly: ["color-contrast"]}`)
			x.shot(name + "-dark")
			x.fits(name)
			x.silent()
		})
	}
}

// accessible asks axe.
func (x *tab) accessible(what, options string) {
	x.t.Helper()
	ask := `axe.run(document, {resultTypes: ["violations"], ...` + options + `}).then((r) => r.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.any[0] ? n.any[0].message : "")).join(" | ")))`
	for _, violation := range eval[[]string](x, ask) {
		x.t.Errorf("%s: %s", what, violation)
	}
}

// fits looks at both modes on a phone.
func (x *tab) fits(name string) {
	x.t.Helper()
	x.width(360)
	for _, mode := range []string{"bytes", "story"} {
		eval[any](x, `document.querySelector("input[name=mode][value=`+mode+`]").click()`)
		const widest = `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !e.closest(".hex, .scroll, .hidden, .skip, .tabs, pre") && getComputedStyle(e).display !== "none").map((e) => e.outerHTML.slice(0, 100))[0]`
		if over := eval[float64](x, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
			x.t.Errorf("%s: %.0f px too wide for a phone: %v", mode, over, eval[any](x, widest))
		}
		x.shot(name + "-phone-" + mode)
	}
}

// The tabulator reaches every control, in both modes, and the arrows every field of an
// open record.
func TestKeyboard(t *testing.T) {
	browser := startBrowser(t)
	all := accounts(t)
	names := []string{"live-refused", "rfc8448-simple", "live-tls12-renegotiation"}
	if !required() {
		names = names[:1]
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := openTab(t, browser, "light", one(all[name]), "")
			for _, mode := range []string{"story", "bytes"} {
				x.tabThrough(mode)
			}
			x.arrows()
			x.silent()
		})
	}
}

func (x *tab) tabThrough(mode string) {
	x.t.Helper()
	eval[any](x, `document.querySelector("input[name=mode][value=`+mode+`]").click(); document.activeElement.blur(); scrollTo(0, 0)`)
	const controls = `[...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")].filter((e) => e.checkVisibility() && (e.type !== "radio" || e.checked) && e.tabIndex >= 0)`
	want := eval[int](x, "window.controls = "+controls+"; window.reached = new Set(); window.addEventListener('focusin', (e) => reached.add(e.target)); controls.length")
	for range want + 5 {
		x.do(chromedp.KeyEvent("\t"))
	}
	for _, missed := range eval[[]string](x, `controls.filter((c) => !reached.has(c)).map((c) => c.outerHTML.slice(0, 120))`) {
		x.t.Errorf("%s: the tabulator does not reach %s", mode, missed)
	}
}

// arrows opens a record with the keyboard and walks its fields.
func (x *tab) arrows() {
	x.t.Helper()
	eval[any](x, `document.querySelector("details.record > summary").focus()`)
	x.do(chromedp.KeyEvent("\r"))
	x.wait(`document.querySelector("details.record[open] [role=treeitem]") !== null`)
	fields := eval[int](x, `(() => { const all = [...document.querySelectorAll("details.record[open] [role=treeitem]")]; all[0].focus(); return all.filter((i) => !i.hidden).length })()`)
	seen := map[string]bool{}
	for range fields {
		seen[eval[string](x, `document.activeElement.dataset.f`)] = true
		x.do(chromedp.KeyEvent(kb.ArrowDown))
	}
	if len(seen) != fields {
		x.t.Errorf("the arrows reach %d of %d fields", len(seen), fields)
	}
}

// An address leads to its byte, also after the page was loaded.
func TestLinks(t *testing.T) {
	browser := startBrowser(t)
	c := accounts(t)["rfc8448-simple"]
	x := openTab(t, browser, "light", Page{Connections: []*explain.Connection{c, c}}, "#c2-r3-i40")
	const chosen = `(() => { const i = document.activeElement; const box = i.closest("details.record"); const r = i.getBoundingClientRect(); return [box && box.id, i.querySelector(".name").textContent, i.getAttribute("aria-selected"), r.top >= 0 && r.bottom <= innerHeight, document.getElementById("c1").hidden].join() })()`
	if got, want := eval[string](x, chosen), "c2-r3,msg_type,true,true,true"; got != want {
		t.Errorf("the address leads to %q, not %q", got, want)
	}
	eval[any](x, `location.hash = "#c1-r1-w11"`)
	x.wait(`!document.getElementById("c1").hidden && document.querySelector("#c1-r1[open] [aria-selected=true]") !== null`)
	if got, want := eval[string](x, chosen), "c1-r1,random,true,true,false"; got != want {
		t.Errorf("the address leads to %q, not %q", got, want)
	}
	for _, nowhere := range []string{"#c9-r1-w0", "#c1-r99-w0", "#c1-r1-w99999", "#c1-nothing", "#%zz", "#x"} {
		eval[any](x, fmt.Sprintf("location.hash = %q", nowhere))
	}
	x.silent()
}

// What is searched for is found: a name, a value, and bytes; a hit leads to its place.
func TestSearch(t *testing.T) {
	browser := startBrowser(t)
	x := openTab(t, browser, "light", one(accounts(t)["rfc8448-simple"]), "")
	for query, want := range map[string]string{"key_share": "key_share", "x25519": "group", "cb34ecb1e781": "random", "ecb1e78163ba": "random", "040305030603": "040305030603", "handshake_secret": "handshake_secret", "no such thing": "Nothing found."} {
		hit := eval[string](x, fmt.Sprintf(`(() => { const s = document.getElementById("search"); s.value = %q; s.dispatchEvent(new Event("input")); return document.querySelector(".hits .name, .hits p").textContent })()`, query))
		if hit != want {
			t.Errorf("%q: %q", query, hit)
		}
	}
	eval[any](x, `(() => { const s = document.getElementById("search"); s.value = "cookie"; s.value = "ticket_nonce"; s.dispatchEvent(new Event("input")); document.querySelector(".hits a").click() })()`)
	x.wait(`document.activeElement.matches("[role=treeitem]") && document.activeElement.textContent.includes("ticket_nonce")`)
	x.silent()
}

// A page is there in less than a second.
func TestSpeed(t *testing.T) {
	browser := startBrowser(t)
	x := openTab(t, browser, "light", one(accounts(t)["live-tls12-renegotiation"]), "")
	took := x.work()
	t.Log("worked for", took)
	if took > time.Second {
		t.Errorf("the page needs %v to be there", took)
	}
	if strings.Contains(eval[string](x, `performance.getEntriesByType("resource").map((e) => e.name).join()`), "http") {
		t.Error("the page loaded something")
	}
}
