package config

// defaultConnections bounds the connections where the configuration does not.
const defaultConnections = 100_000

// reserved are descriptors for what is no connection, or stays for a moment: listeners, files, stores,
// checks of targets, and connections that are refused.
const reserved = 128

// Room is how many connections this process takes: Connections, but no more than it may open descriptors
// for, as each takes two. wanted is without that bound. What is beyond is refused, and does not wait for
// a descriptor.
func (l Limits) Room() (room, wanted int) {
	wanted = l.Connections
	if wanted == 0 {
		wanted = defaultConnections
	}
	n := descriptors()
	if n == 0 {
		return wanted, wanted
	}
	free := uint64(1)
	if n > reserved+2 {
		free = (n - reserved) / 2
	}
	return int(min(uint64(wanted), free)), wanted
}
