package page

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/vitrine-tls/vitrine/explain"
)

// need skips, or where others' programs are required fails, when one is missing: as the
// tests of interop do.
func need(t *testing.T, missing string) {
	t.Helper()
	if required() {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

// required reports that nothing may be missing, nor be left for later.
func required() bool {
	return os.Getenv("VITRINE_INTEROP") == "require" || os.Getenv("CI") == "true"
}

// TestMain stops the browser after all tests.
func TestMain(m *testing.M) {
	code := m.Run()
	stopBrowser()
	os.Exit(code)
}

// stopBrowser is set by the first test that starts it.
var stopBrowser = func() {}

// theBrowser is one for all tests, with a tab for each page.
var theBrowser = sync.OnceValues(func() (context.Context, error) {
	dir, err := os.MkdirTemp("", "vitrine-browser-")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium()), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir))
	for _, flag := range []string{"disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(ctx)
	stopBrowser = func() {
		end()
		stop()
		os.RemoveAll(dir)
	}
	return ctx, chromedp.Do(ctx)
})

// chromium is the browser's program; empty where there is none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	return ""
}

// startBrowser returns the browser, or skips the test where there is none.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	if os.Getenv("VITRINE_INTEROP") == "off" || testing.Short() {
		t.Skip("tests with a browser are off")
	}
	if chromium() == "" {
		need(t, "chromium is not installed (Debian: apt-get install chromium)")
	}
	ctx, err := theBrowser()
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab is a page in the browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	file string
	mu   sync.Mutex
	said []string // on the console
}

// openTab writes accounts as a page and shows it, light or dark.
func openTab(t *testing.T, browser context.Context, scheme string, p Page, hash string) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(write(t, p)), 0o600); err != nil {
		t.Fatal(err)
	}
	x := &tab{t: t, ctx: ctx, file: file}
	x.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
		_, err2 := chromedp.Call(ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
		return errors.Join(err, err2)
	}))
	if err := chromedp.Listen(ctx, x.listen); err != nil {
		t.Fatal(err)
	}
	x.scheme(scheme)
	x.width(1280)
	x.do(chromedp.Navigate("file://" + file + hash))
	x.wait("document.documentElement.dataset.recomputed === 'true'")
	return x
}

// listen keeps what the page says on the console: errors, messages, what the policy refuses.
func (x *tab) listen(event any) {
	said := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		said = fmt.Sprint(e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		said = fmt.Sprint(e.Type)
	case *log.EventEntryAdded:
		said = e.Entry.Text
	default:
		return
	}
	x.mu.Lock()
	x.said = append(x.said, said)
	x.mu.Unlock()
}

func (x *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	x.t.Helper()
	if err := chromedp.Do(x.ctx, steps...); err != nil {
		x.t.Fatal(err)
	}
}

func (x *tab) wait(expression string) {
	x.t.Helper()
	if _, err := chromedp.Run(x.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(time.Minute))); err != nil {
		x.t.Fatalf("%s: %v; the console has %q", expression, err, x.said)
	}
}

func (x *tab) scheme(name string) {
	x.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
		return err
	}))
}

func (x *tab) width(n int64) { x.do(chromedp.EmulateViewport(n, 900)) }

// shot keeps what is seen, where VITRINE_SHOTS names a folder.
func (x *tab) shot(name string) {
	dir := os.Getenv("VITRINE_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(x.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600)
	}
	if err != nil {
		x.t.Error(err)
	}
}

// work is how long the page's own thread has computed, which the load of the machine does
// not change.
func (x *tab) work() time.Duration {
	x.t.Helper()
	var total float64
	x.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		got, err := chromedp.Call(ctx, performance.GetMetrics, cdp.Empty{})
		for _, m := range got.Metrics {
			if m.Name == "TaskDuration" {
				total = m.Value
			}
		}
		return err
	}))
	return time.Duration(total * float64(time.Second))
}

// silent fails if the console is not empty.
func (x *tab) silent() {
	x.t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.said) > 0 {
		x.t.Errorf("the console has %q", x.said)
	}
}

// eval evaluates an expression, which may be a promise.
func eval[T any](x *tab, expression string) T {
	x.t.Helper()
	v, err := chromedp.Run(x.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		x.t.Fatalf("%.80s: %v", expression, err)
	}
	return v
}

func one(c *explain.Connection) Page { return Page{Connections: []*explain.Connection{c}} }

// axeVersion is of the rules for accessibility that pages are held to.
const axeVersion = "4.14.1"

// axe is their script, fetched once to the user's cache.
var axe = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "vitrine-tests")
	file := filepath.Join(dir, "axe-core-"+axeVersion+".tgz")
	if _, err := os.Stat(file); err != nil {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", err
		}
		pack := exec.Command("npm", "pack", "--silent", "axe-core@"+axeVersion)
		pack.Dir = dir
		if out, err := pack.CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm pack axe-core: %w: %s", err, out)
		}
	}
	return fromPackage(file, "package/axe.min.js")
})

// fromPackage is one file of a package of npm.
func fromPackage(file, name string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return "", err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err != nil {
			return "", fmt.Errorf("%s in %s: %w", name, file, err)
		}
		if h.Name == name {
			text, err := io.ReadAll(r)
			return string(text), err
		}
	}
}
