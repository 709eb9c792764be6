package memcached

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/session/internal/storetest"
)

func TestMain(m *testing.M) { leak.Main(m) }

func start(t *testing.T) *storetest.Server {
	program := programs.Need(t, "memcached", "memcached")
	return storetest.Start(t, func(port string) *exec.Cmd {
		return exec.Command(program, "-l", "127.0.0.1", "-p", port, "-U", "0", "-u", "nobody")
	})
}

func open(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, open(t, "memcached://"+start(t).Addr+","+start(t).Addr+"/"), 256<<10)
}

func TestTroubles(t *testing.T) {
	server := start(t)
	storetest.Troubles(t, open(t, "memcached://"+server.Addr), server, []string{
		"HTTP/1.1 400 Bad Request\r\n\r\n", "VALUE a 0 4294967295\r\n", "VALUE a 0 -1\r\n", "VALUE\r\n", "STORED\r\n", strings.Repeat("x", 1<<20), "\r\n",
	})
}

func TestAddresses(t *testing.T) {
	for _, url := range []string{"", "memcached://", "redis://h", "memcached://h,", "memcached://u:p@h", "memcached://h?x=1"} {
		if s, err := Open(url); err == nil {
			s.Close()
			t.Errorf("%q is taken", url)
		}
	}
}
