package httptls

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// A scheme that the application has registered with its http.Transport goes on working.
func TestRegisteredSchemes(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	users := new(http.Transport)
	users.RegisterProtocol("file", http.NewFileTransport(http.Dir(dir)))
	client := &http.Client{Transport: &Transport{HTTP: users}}
	resp, err := client.Get("file:///file")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "content" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	if _, err := client.Get("other:///file"); err == nil {
		t.Error("a scheme that nobody has registered is served")
	}
}
