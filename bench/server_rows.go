package main

var (
	serverCPU = metric{name: "server_cpu_us_per_handshake", title: "Servers: µs of CPU per handshake, server alone, one core",
		num: "cpu_ns", den: "n", scale: 1e-3, digits: 1}
	serverRate = metric{name: "server_handshakes_per_cpu_s", title: "Servers: handshakes per second of CPU, server alone, one core",
		num: "n", den: "cpu_ns", scale: 1e9, higher: true}
	serverAllocs = metric{name: "server_allocs_per_handshake", title: "Servers: memory allocations per handshake, server alone",
		num: "allocs", den: "n", scale: 1}
	clientCPU = metric{name: "client_cpu_us_per_handshake", title: "Clients: µs of CPU per handshake, client alone, one core",
		num: "cpu_ns", den: "n", scale: 1e-3, digits: 1}
	clientAllocs = metric{name: "client_allocs_per_handshake", title: "Clients: memory allocations per handshake, client alone",
		num: "allocs", den: "n", scale: 1}
	speedUp = metric{name: "speed_up", title: "Scaling: handshakes on two processors, as a multiple of those on one",
		num: "gain", den: "one", scale: 1e-6, digits: 2, higher: true}
	costlier = metric{name: "cost_on_two", title: "Scaling: CPU of a handshake on two processors, as a multiple of that on one",
		num: "cost", den: "one", scale: 1e-6, digits: 2}
)

// Servers alone, and 16 handshakes that come to one on all processors at the same moment.
var serverRows = []row{
	serving("server-tls1.2-id-resume", "tickets=id"+ecdsa12, serverRate.asks(1.5, opensslName), serverCPU, serverAllocs.within(20)),
	serving("server-tls1.2-ticket-resume", "tickets=use"+ecdsa12, serverRate.asks(1.5, stdName), serverCPU.asks(0.66, stdName), serverAllocs.within(20)),
	serving("server-tls1.3-psk-resume", "tickets=use"+ecdsa13, serverRate, serverCPU, serverAllocs.within(20)),
	serving("server-tls1.3-ecdsa-full", "tickets=none"+ecdsa13, serverCPU, serverAllocs.within(40)),
	serving("server-tls1.3-rsa2048-full", "tickets=none"+rsa13, serverCPU.asks(0.9, opensslName), serverAllocs.within(40)),
	serving("server-tls1.3-mlkem768-ecdsa-full", "tickets=none"+mlkem13, serverCPU, serverAllocs.within(40)),
	serving("server-tls1.3-mutual-ecdsa", "tickets=none mutual=1"+ecdsa13, serverCPU, serverAllocs),
	serving("server-tls1.2-dhe2048-rsa2048-full", "tickets=none"+dhe12, serverCPU.asks(0.8, opensslName), serverAllocs),
	serving("server-tls1.2-ecdhe-rsa2048-full", "tickets=none"+rsa12, serverCPU.asks(0.9, opensslName), serverAllocs),
	{name: "server-tls1.2-ecdhe-rsa2048-16-at-once", kind: "handshake", peerIs: vitrineName,
		job: "serve role=server batch=16 tickets=none" + rsa12, peer: "drive role=client batch=16 tickets=none" + rsa12,
		metrics: []metric{serverCPU.asks(0.6, opensslName), serverAllocs}},
	serving("server-tls1.2-psk", "tickets=none"+psk12, serverCPU, serverAllocs),
	serving("server-tls1.2-dhe2048-psk", "tickets=none"+dhePSK12, serverCPU, serverAllocs),
	serving("server-tls1.2-ecdhe-x25519-psk", "tickets=none"+ecdhePSK12, serverCPU, serverAllocs),
}

var clientRows = []row{
	visiting("client-tls1.3-ecdsa-full", "tickets=none"+ecdsa13),
	visiting("client-tls1.3-rsa2048-full", "tickets=none"+rsa13),
	visiting("client-tls1.3-mlkem768-ecdsa-full", "tickets=none"+mlkem13),
	visiting("client-tls1.3-mutual-ecdsa", "tickets=none mutual=1"+ecdsa13),
	visiting("client-tls1.2-ecdhe-rsa2048-full", "tickets=none"+rsa12),
}

var scalingRows = []row{
	scaled("scaling-tls1.3-ecdsa-full", "tickets=none"+ecdsa13),
	scaled("scaling-tls1.2-ticket-resume", "tickets=use"+ecdsa12),
}

// serving measures a server alone, whose connections work one after the other. Its clients
// are vitrine's, in a process of their own, for every contender.
func serving(name, settings string, metrics ...metric) row {
	return row{name: name, kind: "handshake", procs: 1, metrics: metrics, peerIs: vitrineName,
		job: "serve role=server inturn=1 batch=32 " + settings, peer: "drive role=client batch=32 " + settings}
}

// visiting measures a client alone, likewise.
func visiting(name, settings string) row {
	return row{name: name, kind: "handshake", procs: 1, metrics: []metric{clientCPU, clientAllocs}, peerIs: vitrineName,
		job: "drive role=client batch=32 " + settings, peer: "serve role=server batch=32 " + settings}
}

// scaled measures both ends in one process, on one processor and on two.
func scaled(name, settings string) row {
	return row{name: name, kind: "handshake", still: true, job: "scaling " + settings, metrics: []metric{speedUp.within(1.9), costlier}}
}
