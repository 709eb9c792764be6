package redis

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
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

// startCluster is three nodes with a third of the slots each.
func startCluster(t *testing.T, program string, more ...string) []*storetest.Server {
	var nodes []*storetest.Server
	var bus []string
	for i := range 3 {
		bus = append(bus, storetest.FreePort(t))
		nodes = append(nodes, start(t, program, append([]string{"--cluster-enabled", "yes", "--cluster-port", bus[i]}, more...)...))
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
	return nodes
}

// A user of a cluster needs one right more.
func TestCluster(t *testing.T) {
	engines(t, func(t *testing.T, program string) {
		file := t.TempDir() + "/users.conf"
		write(t, file, "user default on nopass +@all\nuser less on >s3cret "+rights+"\nuser fleet on >s3cret:/@ "+rights+" +cluster|slots +cluster|shards +asking\n")
		nodes := startCluster(t, program, "--aclfile", file)
		url := nodes[1].Addr + "?cluster=true"
		s := open(t, asUser+url)
		storetest.Run(t, s, 1000)
		slot, _ := strconv.Atoi(strings.Trim(say(t, nodes[0], "CLUSTER KEYSLOT vitrine:moving"), ":\r\n"))
		from, to := nodes[slot/5462], nodes[(slot/5462+1)%3]
		say(t, to, fmt.Sprintf("CLUSTER SETSLOT %d IMPORTING %s", slot, say(t, from, "CLUSTER MYID")))
		say(t, from, fmt.Sprintf("CLUSTER SETSLOT %d MIGRATING %s", slot, say(t, to, "CLUSTER MYID")))
		if err := s.Put(t.Context(), "moving", []byte("blob"), time.Now().Add(time.Hour)); err != nil {
			t.Errorf("while keys are moved: %v", err)
		}
		if blob, err := s.Take(t.Context(), "moving"); err != nil || string(blob) != "blob" {
			t.Errorf("while keys are moved: %q, %v", blob, err)
		}
		if err := put(t, "redis://less:s3cret@"+url); err == nil || !strings.Contains(err.Error(), "+cluster") {
			t.Errorf("without the right: %v", err)
		}
		if err := put(t, "redis://"+start(t, program).Addr+"?cluster=true"); err == nil || !strings.Contains(err.Error(), "has none") {
			t.Errorf("without a cluster: %v", err)
		}
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

// A server with TLS is reached by its authority and its name alone.
func TestTLS(t *testing.T) {
	ca, err := devca.New("redis.test")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir+"/ca.pem", string(ca.PEM()))
	for name, names := range map[string][]string{"good": {"127.0.0.1", "localhost"}, "other": {"redis.test"}} {
		pair, err := ca.Issue(devca.Leaf{Names: names, Key: devca.ECDSA})
		if err != nil {
			t.Fatal(err)
		}
		key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
		for _, der := range pair.Certificate {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
		}
		write(t, dir+"/"+name+".pem", string(text))
	}
	engines(t, func(t *testing.T, program string) {
		startTLS := func(name string) string {
			file := dir + "/" + name + ".pem"
			return storetest.Start(t, func(port string) *exec.Cmd {
				return exec.Command(program, "--port", "0", "--tls-port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(), "--requirepass", "s3cret",
					"--tls-cert-file", file, "--tls-key-file", file, "--tls-auth-clients", "no")
			}).Addr
		}
		good, other := startTLS("good"), startTLS("other")
		trusted := "?ca=" + dir + "/ca.pem"
		storetest.Run(t, open(t, "rediss://:s3cret@"+good+"/1"+trusted), 256<<10)
		for url, want := range map[string]string{
			"rediss://:s3cret@" + good:            "unknown authority",
			"rediss://:s3cret@" + other + trusted: "IP SANs",
			"redis://:s3cret@" + good:             "",
		} {
			if err := put(t, url); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", strings.Replace(url, good, "good", 1), err)
			}
		}
	})
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

// A look-up is one round trip, and so is a take.
func TestRoundTrips(t *testing.T) {
	engines(t, func(t *testing.T, program string) {
		storetest.Rounds(t, start(t, program), func(address string) session.Store { return open(t, "redis://"+address) }, 1, 1, 1)
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
