package proxy

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// What root makes for a process that becomes another user belongs to that user: the process of
// today and that of tomorrow can write in its folders, and read what is in them.
func TestFoldersOfTheUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give root up")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skipf("there is no user to become: %v", err)
	}
	// Unlike a folder of the test's own, others may enter it.
	state, err := os.MkdirTemp("", "vitrine-user")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(state) })
	if err := os.Chmod(state, 0o755); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	configuration := fmt.Sprintf(`
listeners:
  - {listen: [%q], target: t, tls: {certificates: [{cert: FOLDER/cert.pem}, {acme: {names: [acme.test], email: a@acme.test, directory: "https://127.0.0.1:1/", agree-terms: true, storage: STATE/acme}}]}}
targets: {t: {addresses: [%q]}}
sessions: {store: "file:STATE/of/sessions", key-file: FOLDER/fleet.key}
traces: {failures: true, folder: STATE/traces}
process: {user: nobody, sandbox: "off"}
`, address, echo(t))
	own := &tls.Config{InsecureSkipVerify: true, ServerName: "front.test", ClientSessionCache: tls.NewLRUClientSessionCache(10)}
	for time := range 2 {
		r := runWith(t, strings.ReplaceAll(configuration, "STATE", state), map[string]string{"fleet.key": strings.Repeat("0a", 32) + "\n"})
		r.hears(t, "READY=1")
		if resumed := say(t, address, own); resumed != (time == 1) {
			t.Errorf("process %d resumes: %v", time, resumed)
		}
		fail(t, address)
		r.log.await(t, "trace of a handshake", 1)
		await(t, filepath.Join(state, "acme", "locks"))
		r.Process.Signal(syscall.SIGTERM)
		r.ends(t)
	}
	kinds := map[string]int{}
	err = filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == state {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if uid := info.Sys().(*syscall.Stat_t).Uid; strconv.Itoa(int(uid)) != nobody.Uid {
			t.Errorf("%s belongs to user %d", path, uid)
		}
		inside, _ := filepath.Rel(state, path)
		kinds[strings.SplitN(inside, "/", 2)[0]]++
		return nil
	})
	if err != nil || kinds["acme"] < 2 || kinds["of"] < 258 || kinds["traces"] < 2 {
		t.Errorf("%v, %v", kinds, err)
	}
}

// fail makes a handshake that fails.
func fail(t *testing.T, address string) {
	t.Helper()
	if conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: "front.test"}); err == nil {
		conn.Close()
		t.Error("nobody was to be trusted")
	}
}

// await waits for a file.
func await(t *testing.T, path string) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		} else if time.Now().After(limit) {
			t.Fatal(err)
		}
	}
}

// runWith is run with further files in the folder.
func runWith(t *testing.T, configuration string, files map[string]string) *running {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		configuration = strings.ReplaceAll(configuration, "FOLDER/"+name, filepath.Join(folder, name))
	}
	return run(t, configuration, nil)
}
