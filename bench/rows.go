package main

// A row is one named measurement. Its job goes to a contender; a bulk or
// memory job has the same peer job for all contenders, done by crypto/tls in a
// process of its own.
type row struct {
	name    string
	kind    string // handshake, bulk or memory
	job     string
	peer    string
	procs   int // processors for the measured process, 0: all
	metrics []metric
}

// A metric is scale * num / den of the answer's figures.
type metric struct {
	name     string // as in JSON
	title    string // above the table
	num, den string
	scale    float64
	digits   int
	higher   bool // is better
	goal     goal
}

// A goal bounds vitrine's figure, or its ratio to crypto/tls's where ratio is
// set; from below where higher is better, from above where lower is. The zero
// goal asks for nothing.
type goal struct {
	limit float64
	ratio bool
}

const (
	ecdsa13   = " version=1.3 group=X25519 cert=ecdsa suite=aes128gcm"
	ecdsa12   = " version=1.2 group=X25519 cert=ecdsa suite=aes128gcm"
	aes256gcm = " version=1.3 group=X25519 cert=ecdsa suite=aes256gcm"
	chacha20  = " version=1.3 group=X25519 cert=ecdsa suite=chacha20"
)

var (
	cpuPerHandshake = metric{name: "cpu_us_per_handshake", title: "Handshakes: µs of CPU, both ends, one core",
		num: "cpu_ns", den: "n", scale: 1e-3, digits: 1, goal: goal{1, true}}
	allocsPerHandshake = metric{name: "allocs_per_handshake", title: "Handshakes: memory allocations, both ends",
		num: "allocs", den: "n", scale: 1, goal: goal{0.5, true}}
	handshakesPerSecond = metric{name: "handshakes_per_s", title: "Handshakes: per second, both ends, all cores",
		num: "n", den: "wall_ns", scale: 1e9, higher: true, goal: goal{1, true}}
	speed = metric{name: "mb_per_s", title: "Bulk: MB/s of one core that sends",
		num: "bytes", den: "wall_ns", scale: 1e3, higher: true}
	cpuPerMB = metric{name: "cpu_us_per_mb", title: "Bulk: µs of CPU per MB at the measured end",
		num: "cpu_ns", den: "bytes", scale: 1e3, digits: 1}
	cpuPerWrite = metric{name: "cpu_us_per_write", title: "Small messages: µs of CPU per write",
		num: "cpu_ns", den: "n", scale: 1e-3, digits: 2}
	cpuPerTrip = metric{name: "cpu_us_per_round_trip", title: "Small messages: µs of CPU per round trip at one end",
		num: "cpu_ns", den: "n", scale: 1e-3, digits: 2}
	heapPerConn = metric{name: "heap_bytes_per_conn", title: "Idle connection: heap bytes per end, without goroutine and socket",
		num: "bytes", den: "n", scale: 1, goal: goal{limit: 2500}}

	handshakeMetrics = []metric{cpuPerHandshake, allocsPerHandshake}
)

// asks sets the goal of a metric for one row.
func (m metric) asks(limit float64) metric { m.goal = goal{limit, true}; return m }

var rows = append(append(handshakeRows, bulkRows...), memoryRows...)

var handshakeRows = []row{
	handshake("tls1.3-x25519-ecdsa-full", "tickets=none"+ecdsa13),
	handshake("tls1.3-x25519mlkem768-ecdsa-full", "tickets=none version=1.3 group=X25519MLKEM768 cert=ecdsa suite=aes128gcm"),
	handshake("tls1.3-x25519-rsa2048-full", "tickets=none version=1.3 group=X25519 cert=rsa2048 suite=aes128gcm"),
	handshake("tls1.3-p256-ecdsa-full", "tickets=none version=1.3 group=P-256 cert=ecdsa suite=aes128gcm"),
	handshake("tls1.3-mutual-ecdsa", "tickets=none mutual=1"+ecdsa13),
	handshake("tls1.3-psk-resume", "tickets=use"+ecdsa13),
	handshake("tls1.2-ecdhe-x25519-ecdsa-full", "tickets=none"+ecdsa12),
	handshake("tls1.2-ecdhe-rsa2048-full", "tickets=none version=1.2 group=X25519 cert=rsa2048 suite=aes128gcm"),
	handshake("tls1.2-ticket-resume", "tickets=use"+ecdsa12),
	{name: "tls1.3-x25519-ecdsa-full-all-cores", kind: "handshake",
		job: "handshake lanes=all tickets=none" + ecdsa13, metrics: []metric{handshakesPerSecond}},
}

var bulkRows = []row{
	sending("loopback-send-aes128gcm-256k", "size=262144"+ecdsa13, speed.asks(1.7), cpuPerMB),
	sending("loopback-send-aes256gcm-256k", "size=262144"+aes256gcm, speed, cpuPerMB),
	sending("loopback-send-chacha20-256k", "size=262144"+chacha20, speed, cpuPerMB),
	sending("loopback-send-tls1.2-aes128gcm-256k", "size=262144"+ecdsa12, speed, cpuPerMB),
	sending("loopback-send-aes128gcm-16k", "size=16384"+ecdsa13, speed, cpuPerMB),
	sending("loopback-send-aes128gcm-1k", "size=1024"+ecdsa13, cpuPerWrite),
	sending("loopback-send-aes128gcm-64", "size=64"+ecdsa13, cpuPerWrite),
	receiving("loopback-recv-cpu-aes128gcm-256k", ecdsa13, cpuPerMB.asks(0.65)),
	receiving("loopback-recv-cpu-aes256gcm-256k", aes256gcm, cpuPerMB),
	receiving("loopback-recv-cpu-chacha20-256k", chacha20, cpuPerMB),
	receiving("loopback-recv-cpu-tls1.2-aes128gcm-256k", ecdsa12, cpuPerMB),
	{name: "loopback-pingpong-aes128gcm-100", kind: "bulk", procs: 1,
		job:  "pingpong role=client tickets=none size=100" + ecdsa13,
		peer: "echo role=server size=100" + ecdsa13, metrics: []metric{cpuPerTrip}},
}

var memoryRows = []row{
	idle("idle-fresh-server", "server", ""),
	idle("idle-fresh-client", "client", ""),
	idle("idle-after-bulk-server", "server", " bulk=1"),
	idle("idle-after-bulk-client", "client", " bulk=1"),
	idle("idle-fresh-reading-server", "server", " reading=1"),
	idle("idle-fresh-reading-client", "client", " reading=1"),
	idle("idle-after-bulk-reading-server", "server", " bulk=1 reading=1"),
	idle("idle-after-bulk-reading-client", "client", " bulk=1 reading=1"),
}

func handshake(name, settings string) row {
	return row{name: name, kind: "handshake", procs: 1,
		job: "handshake " + settings, metrics: handshakeMetrics}
}

func sending(name, settings string, metrics ...metric) row {
	return row{name: name, kind: "bulk", procs: 1, metrics: metrics,
		job: "send role=client tickets=none " + settings, peer: "sink role=server " + settings}
}

func receiving(name, settings string, metrics ...metric) row {
	return row{name: name, kind: "bulk", procs: 1, metrics: metrics,
		job: "recv role=client tickets=none" + settings, peer: "source role=server size=262144" + settings}
}

// idle measures the end called role; the peer is the other one.
func idle(name, role, settings string) row {
	other := map[string]string{"server": "client", "client": "server"}[role]
	common := " tickets=forget" + settings + ecdsa13
	return row{name: name, kind: "memory", metrics: []metric{heapPerConn},
		job: "hold role=" + role + common, peer: "hold wait=1 role=" + other + common}
}
