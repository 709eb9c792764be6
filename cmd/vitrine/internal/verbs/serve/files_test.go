package serve

import (
	"bytes"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// site is a folder with all that must not be seen.
func site(t *testing.T) *publicFiles {
	t.Helper()
	base := t.TempDir()
	dir := filepath.Join(base, "site")
	for name, text := range map[string]string{"site/file.txt": "a file", "site/.env": "secret", "site/sub/in.txt": "inside", "secret.txt": "secret"} {
		path := filepath.Join(base, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOOS != "windows" {
		for name, to := range map[string]string{"out": "../secret.txt", "absolute": "/etc/hosts", "loop": "loop", "gone": "nothing", "in": "sub/in.txt", "folder": "sub"} {
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := openFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	return files
}

// What cannot be had is not there: it is not listed, and asking for it is 404.
func TestWhatIsNotServedIsNotThere(t *testing.T) {
	files := site(t)
	makePipe(t, filepath.Join(files.root.Name(), "pipe"))
	handler := filesOnly(http.FileServerFS(files))
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	for path, want := range map[string]int{
		"/file.txt": 200, "/sub/": 200, "/.env": 404, "/out": 404, "/absolute": 404, "/loop": 404, "/gone": 404, "/pipe": 404,
		"/a%00b": 404, "/file.txt/more": 404, "/" + strings.Repeat("a", 300): 404,
	} {
		if w := ask("GET", path); w.Code != want || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%.40s: %d, want %d\n%s", path, w.Code, want, w.Body)
		}
	}
	list := ask("GET", "/").Body.String()
	for name, want := range map[string]bool{"file.txt": true, "sub/": true, ".env": false, "out": false, "absolute": false, "loop": false, "gone": false, "pipe": false} {
		if got := strings.Contains(list, `"`+name+`"`); got != want {
			t.Errorf("%s is listed: %v\n%s", name, got, list)
		}
	}
	if runtime.GOOS != "windows" && (ask("GET", "/in").Body.String() != "inside" || !strings.Contains(list, `"in"`)) {
		t.Errorf("a link that stays inside: %s", list)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		if w := ask(method, "/file.txt"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, %v", method, w.Code, w.Header())
		}
	}
	if w := ask("HEAD", "/file.txt"); w.Code != 200 {
		t.Errorf("HEAD: %d", w.Code)
	}
}

// Errors of the machine stay what they are.
func TestErrorsOfTheMachineAreNotHidden(t *testing.T) {
	for _, err := range []error{fs.ErrPermission, &fs.PathError{Op: "open", Err: syscall.EIO}} {
		if got := existence("name", err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// Each request is one line, also one whose handler ends by a panic.
func TestRequestsAreLogged(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: short}))
	handler := logRequests(log, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no", http.StatusTeapot)
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
	}))
	for _, path := range []string{"/a%0Alevel=ERROR", "/panic"} {
		out.Reset()
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("User-Agent", strings.Repeat("x", 1<<16))
		func() {
			defer func() { recover() }()
			handler.ServeHTTP(httptest.NewRecorder(), r)
		}()
		line := out.String()
		if strings.Count(line, "\n") != 1 || len(line) > 2*mostLogged || !strings.Contains(line, "msg=request peer=192.0.2.1:1234 method=GET uri="+quoteIf(path)+" protocol=HTTP/1.1 status=418 bytes=3 request_us=") {
			t.Errorf("%.600s", line)
		}
	}
}

// quoteIf is how slog writes a word that has an equals sign in it.
func quoteIf(s string) string {
	if strings.Contains(s, "=") {
		return `"` + s + `"`
	}
	return s
}
