// Package browser drives headless Chromium for tests of pages. What a page says on the
// console fails its test; axe.go asks whether a page is accessible.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// Browser is one Chromium. It ends with the test that started it.
type Browser struct{ ctx context.Context }

// Start starts the browser. Without Chromium the test ends as package programs says, and with
// -short too.
func Start(t testing.TB) *Browser {
	t.Helper()
	if testing.Short() {
		t.Skip("tests with a browser take long")
	}
	path := programs.Need(t, "chromium", "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	for _, flag := range []string{"disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return &Browser{ctx}
}

// Tab is one tab of the browser. It closes with its test, which fails if the page has said
// anything on the console. Its methods fail the test where something goes wrong.
type Tab struct {
	T    testing.TB
	ctx  context.Context
	mu   sync.Mutex
	said []string
}

// Open opens an empty tab, 1280 wide and 900 high, light.
func (b *Browser) Open(t testing.TB) *Tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(b.ctx)
	t.Cleanup(stop)
	x := &Tab{T: t, ctx: ctx}
	x.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
		_, err2 := chromedp.Call(ctx, performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks})
		return errors.Join(err, err2)
	}))
	if err := chromedp.Listen(ctx, x.listen); err != nil {
		t.Fatal(err)
	}
	x.Scheme("light")
	x.Size(1280, 900)
	t.Cleanup(x.silent)
	return x
}

// listen keeps what the page says on the console: errors, messages, what the policy refuses.
func (x *Tab) listen(event any) {
	said := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		said = fmt.Sprint(e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		said = fmt.Sprint(e.Type)
		for _, a := range e.Args {
			said += " " + string(a.Value)
		}
	case *log.EventEntryAdded:
		said = e.Entry.Text
	default:
		return
	}
	x.mu.Lock()
	x.said = append(x.said, said)
	x.mu.Unlock()
}

// silent fails if the console is not empty.
func (x *Tab) silent() {
	x.T.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.said) > 0 {
		x.T.Errorf("the console has %q", x.said)
	}
}

// Do does steps, one after the other.
func (x *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	x.T.Helper()
	if err := chromedp.Do(x.ctx, steps...); err != nil {
		x.T.Fatal(err)
	}
}

// Eval evaluates an expression, which may be a promise.
func Eval[A any](x *Tab, expression string) A {
	x.T.Helper()
	v, err := chromedp.Run(x.ctx, chromedp.Evaluate[A](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		x.T.Fatalf("%.80s: %v", expression, err)
	}
	return v
}

// Wait waits until an expression is true, for no more than a minute.
func (x *Tab) Wait(expression string) {
	x.T.Helper()
	if _, err := chromedp.Run(x.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(time.Minute))); err != nil {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.T.Fatalf("%s: %v; the console has %q", expression, err, x.said)
	}
}

// Go goes to an address.
func (x *Tab) Go(url string) {
	x.T.Helper()
	x.Do(chromedp.Navigate(url))
}

// TrustAll has the tab accept every certificate.
func (x *Tab) TrustAll() {
	x.T.Helper()
	x.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true})
		return err
	}))
}

// Scheme has the page be "light" or "dark".
func (x *Tab) Scheme(name string) {
	x.T.Helper()
	x.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
		return err
	}))
}

// Size sets the size of the window, in CSS pixels.
func (x *Tab) Size(width, height int64) {
	x.T.Helper()
	x.Do(chromedp.EmulateViewport(width, height))
}

// Shot writes a picture of the whole page to NAME.png in the folder that VITRINE_SHOTS names.
// Without it there is none.
func (x *Tab) Shot(name string) {
	x.T.Helper()
	if dir := os.Getenv("VITRINE_SHOTS"); dir != "" {
		x.picture(filepath.Join(dir, name+".png"), chromedp.FullScreenshot(100))
	}
}

// Picture writes what the window shows to a file, as PNG.
func (x *Tab) Picture(file string) {
	x.T.Helper()
	x.picture(file, chromedp.CaptureScreenshot())
}

func (x *Tab) picture(file string, take chromedp.Action[[]byte]) {
	x.T.Helper()
	png, err := chromedp.Run(x.ctx, take)
	if err == nil {
		err = os.WriteFile(file, png, 0o644)
	}
	if err != nil {
		x.T.Error(err)
	}
}

// Work is how long the page's own thread has computed, which the load of the machine does
// not change.
func (x *Tab) Work() time.Duration {
	x.T.Helper()
	var total float64
	x.Do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
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
