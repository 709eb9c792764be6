package files

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// A full disk costs new sessions; those that are there stay, can be taken, and new ones follow once
// there is room.
func TestFullDisk(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("only root can have a small disk: %v", err)
	}
	defer syscall.Unmount(folder, syscall.MNT_DETACH)
	s, ctx, hour := open(t, filepath.Join(folder, "sessions"), Options{}), t.Context(), time.Now().Add(time.Hour)
	kept, err := 0, error(nil)
	for blob := make([]byte, 64<<10); err == nil; kept++ {
		err = s.Put(ctx, fmt.Sprint(kept), blob, hour)
	}
	kept--
	if !errors.Is(err, syscall.ENOSPC) || kept < 8 {
		t.Fatalf("session %d: %v", kept, err)
	}
	if _, err := s.Get(ctx, fmt.Sprint(kept)); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("the one that did not fit: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.folder, "*", newPrefix+"*")); len(left) > 0 {
		t.Errorf("half of a session is left: %q", left)
	}
	for i := range kept {
		if _, err := s.Get(ctx, fmt.Sprint(i)); err != nil {
			t.Errorf("session %d: %v", i, err)
		}
	}
	if blob, err := s.Take(ctx, "0"); err != nil || len(blob) != 64<<10 {
		t.Errorf("%d bytes are taken, %v", len(blob), err)
	}
	if _, err := s.Take(ctx, "0"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("taken again: %v", err)
	}
	if err := s.Put(ctx, "new", []byte("there is room again"), hour); err != nil {
		t.Error(err)
	}
}

// TestKilled has a child put sessions until it is killed, over and over. What it said it had put
// is there, and nothing that it left, a lock or half a file, is in the way.
func TestKilled(t *testing.T) {
	if folder := os.Getenv("VITRINE_TEST_FOLDER"); folder != "" {
		s := open(t, folder, Options{})
		for i := 0; ; i++ {
			if err := s.Put(t.Context(), fmt.Sprint(os.Getpid(), "-", i), make([]byte, 4<<10), time.Now().Add(time.Hour)); err != nil {
				fmt.Println("error:", err)
			}
			fmt.Printf("put %d-%d\n", os.Getpid(), i)
		}
	}
	folder := t.TempDir()
	var put []string
	for round := range 10 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "VITRINE_TEST_FOLDER="+folder)
		out, err := child.StdoutPipe()
		if err == nil {
			err = child.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for said := 0; lines.Scan(); said++ {
			name, is := strings.CutPrefix(lines.Text(), "put ")
			if !is {
				t.Errorf("round %d: the child says %q", round, lines.Text())
			}
			put = append(put, name)
			if said == 10+round {
				child.Process.Kill()
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
		child.Wait()
	}
	if len(put) < 100 {
		t.Fatalf("%d sessions were put", len(put))
	}
	s := open(t, folder, Options{})
	for _, name := range put {
		if blob, err := s.Get(t.Context(), name); err != nil || len(blob) != 4<<10 {
			t.Errorf("%s: %d bytes, %v", name, len(blob), err)
		}
		if err := s.Put(t.Context(), name, nil, time.Now().Add(time.Hour)); err != nil {
			t.Errorf("%s again: %v", name, err)
		}
	}
}
