package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/session/internal/storetest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// engines are the programs that are tested: one must be there.
func engines(t *testing.T, f func(t *testing.T, program string)) {
	programs.SkipIfOff(t)
	n := 0
	for _, name := range []string{"valkey-server", "redis-server"} {
		if path, err := exec.LookPath(name); err == nil {
			n++
			t.Run(name, func(t *testing.T) { f(t, path) })
		}
	}
	if n == 0 {
		programs.Missing(t, programs.NotInstalled("redis-server", "redis-server"))
	}
}

func start(t *testing.T, program string, more ...string) *storetest.Server {
	dir := t.TempDir()
	return storetest.Start(t, func(port string) *exec.Cmd {
		return exec.Command(program, append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir}, more...)...)
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
	engines(t, func(t *testing.T, program string) {
		server := start(t, program)
		storetest.Run(t, open(t, "redis://"+server.Addr+"/3"), 256<<10)
	})
}

func TestTroubles(t *testing.T) {
	engines(t, func(t *testing.T, program string) {
		server := start(t, program)
		storetest.Troubles(t, open(t, "redis://"+server.Addr), server, []string{
			"HTTP/1.1 400 Bad Request\r\n\r\n", "+OK\r\n+OK\r\n+OK\r\n", "$-5\r\n", "$99999999999\r\n", "*1000000000\r\n",
			">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "%1\r\n", "\r\n", "$5\r\nabc", "*65536\r\n*65536\r\n",
			"$?\r\n;99999999999\r\n", "|1\r\n+a\r\n+b\r\n", strings.Repeat("x", 1<<20),
		})
	})
}

// A full server that does not evict takes nothing more, and gives what it has.
func TestFull(t *testing.T) {
	engines(t, func(t *testing.T, program string) {
		s := open(t, "redis://"+start(t, program, "--maxmemory", "4mb", "--maxmemory-policy", "noeviction").Addr)
		end := time.Now().Add(time.Hour)
		if err := s.Put(t.Context(), "first", []byte("blob"), end); err != nil {
			t.Fatal(err)
		}
		var err error
		for i := 0; i < 1000 && err == nil; i++ {
			err = s.Put(t.Context(), fmt.Sprint(i), make([]byte, 64<<10), end)
		}
		if err == nil || !strings.Contains(err.Error(), "OOM") {
			t.Errorf("full: %v", err)
		}
		if blob, err := s.Take(t.Context(), "first"); err != nil || string(blob) != "blob" {
			t.Errorf("taken from a full server: %q, %v", blob, err)
		}
	})
}

const (
	someUser = "user default off\nuser admin on >s3cret ~* &* +@all\nuser fleet on >s3cret:/@ "
	rights   = "~vitrine:* +get +set +getdel +del +eval +hello +ping"
	asUser   = "redis://fleet:s3cret%3A%2F%40@"
)

// A user needs the rights that the documentation names, and no more.
func TestUser(t *testing.T) {
	engines(t, func(t *testing.T, program string) {
		file := t.TempDir() + "/users.conf"
		for db, more := range map[string]string{"": "", "/3": " +select"} {
			write(t, file, someUser+rights+more+"\n")
			server := start(t, program, "--aclfile", file)
			storetest.Run(t, open(t, asUser+server.Addr+db), 1000)
			if put(t, "redis://fleet:wrong@"+server.Addr) == nil {
				t.Error("a wrong password is taken")
			}
			if more == "" && put(t, asUser+server.Addr+"/3") == nil {
				t.Error("a database needs no right of its own")
			}
		}
	})
}

func put(t *testing.T, url string) error {
	t.Helper()
	err := open(t, url).Put(t.Context(), "key", []byte("blob"), time.Now().Add(time.Hour))
	if err != nil && strings.Contains(err.Error(), "wrong@") {
		t.Errorf("the password is shown: %v", err)
	}
	return err
}

// The same for a user whose server sentinels name.
func TestUserOfSentinels(t *testing.T) {
	engines(t, func(t *testing.T, program string) {
		file, conf := t.TempDir()+"/users.conf", t.TempDir()+"/sentinel.conf"
		for more, enough := range map[string]bool{"": false, " +role": true} {
			write(t, file, someUser+rights+more+"\n")
			server := start(t, program, "--aclfile", file)
			sentinel := storetest.Start(t, func(port string) *exec.Cmd {
				write(t, conf, "port "+port+"\nbind 127.0.0.1\nsentinel monitor sessions 127.0.0.1 "+server.Port+" 1\nsentinel auth-user sessions admin\n"+
					"sentinel auth-pass sessions s3cret\n"+someUser+"&* +hello +ping +sentinel +subscribe +unsubscribe\n")
				return exec.Command(program, conf, "--sentinel")
			})
			if err := put(t, asUser+sentinel.Addr+"?sentinel=sessions"); (err == nil) != enough {
				t.Errorf("with the right %q: %v", more, err)
			}
		}
	})
}

func TestCluster(t *testing.T) {
	engines(t, func(t *testing.T, program string) {
		var nodes []*storetest.Server
		var bus []string
		for i := range 3 {
			bus = append(bus, storetest.FreePort(t))
			nodes = append(nodes, start(t, program, "--cluster-enabled", "yes", "--cluster-port", bus[i]))
		}
		for i, n := range nodes {
			if i > 0 {
				say(t, nodes[0], "CLUSTER MEET 127.0.0.1 "+n.Port+" "+bus[i])
			}
			say(t, n, fmt.Sprintf("CLUSTER ADDSLOTSRANGE %d %d", i*5462, min(i*5462+5461, 16383)))
		}
		for _, n := range nodes {
			storetest.Eventually(t, "the cluster is whole", func() bool { return strings.Contains(say(t, n, "CLUSTER INFO"), "cluster_state:ok") })
		}
		storetest.Run(t, open(t, "redis://"+nodes[1].Addr+"?cluster=true"), 1000)
	})
}

// say sends a command and returns the beginning of the answer.
func say(t *testing.T, s *storetest.Server, command string) string {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "%s\r\n", command)
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if err == nil && line[0] == '$' {
		line, err = r.ReadString('\n')
	}
	if err != nil || line[0] == '-' {
		t.Fatalf("%s: %q, %v", command, line, err)
	}
	return line
}

// Sentinels name the server.
func TestSentinel(t *testing.T) {
	engines(t, func(t *testing.T, program string) {
		server := start(t, program)
		dir := t.TempDir()
		sentinel := storetest.Start(t, func(port string) *exec.Cmd {
			conf := dir + "/sentinel.conf"
			text := "port " + port + "\nbind 127.0.0.1\nsentinel monitor sessions 127.0.0.1 " + server.Port + " 1\n"
			write(t, conf, text)
			return exec.Command(program, conf, "--sentinel")
		})
		storetest.Run(t, open(t, "redis://"+sentinel.Addr+"?sentinel=sessions"), 1000)
	})
}

func TestAddresses(t *testing.T) {
	for _, url := range []string{
		"", "http://h", "redis://", "redis://h/x", "redis://h/-1", "redis://h?x=1", "redis://h?cluster=maybe", "redis://h?addr=i", "redis://h?ca=f",
		"redis://h?cluster=1&sentinel=s", "redis://h/1?cluster=1", "rediss://h?ca=/does/not/exist", "redis://u:s3cret@h:port:port/\x00",
	} {
		if s, err := Open(url); err == nil {
			s.Close()
			t.Errorf("%q is taken", url)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the password is shown: %v", err)
		}
	}
}

func TestClosed(t *testing.T) {
	s := open(t, "redis://127.0.0.1:1")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := s.Get(ctx, "key"); err == nil || errors.Is(err, session.ErrNotFound) {
		t.Errorf("without a server: %v", err)
	}
	s.Close()
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Get(ctx, "key"); err == nil || errors.Is(err, session.ErrNotFound) {
		t.Errorf("closed: %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
