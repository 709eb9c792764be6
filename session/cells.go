package session

import (
	"bytes"
	"encoding/binary"
)

// A record of a shard is a chain of cells, which are all of one size, so that
// any freed cell serves any record and memory never fragments. Cells are known
// by numbers of 4 bytes rather than by pointers of 8, which also leaves the
// garbage collector nothing to follow. Number 0 is no cell.
//
// The first cell of a record has a header of the length that its kind of
// record needs; every other has only the number of the next one.
const (
	cellSize   = 104
	segment    = 32 << 10 // bytes taken from the heap at a time
	perSegment = segment / cellSize
)

type cell [cellSize]byte

// offMore is where a cell has the number of the next cell of its record, or of
// the list of free cells.
const (
	offMore = 0
	offRest = 4 // where the data of all cells but the first starts
)

func (c *cell) get(off int) uint32    { return binary.NativeEndian.Uint32(c[off:]) }
func (c *cell) set(off int, v uint32) { binary.NativeEndian.PutUint32(c[off:], v) }

// cells hands out cells, up to most of them.
type cells struct {
	segments [][]cell
	most     int
	made     int    // taken from segments so far
	used     int    // of these, not free
	free     uint32 // the first of the free ones
}

func (c *cells) at(i uint32) *cell { return &c.segments[(i-1)/perSegment][(i-1)%perSegment] }

// room is how many cells can still be taken.
func (c *cells) room() int { return c.most - c.used }

// held is how many bytes the segments take.
func (c *cells) held() (n int) {
	for _, s := range c.segments {
		n += len(s) * cellSize
	}
	return n
}

// take returns a cleared cell. There must be room.
func (c *cells) take() uint32 {
	c.used++
	if i := c.free; i != 0 {
		c.free = c.at(i).get(offMore)
		c.at(i).set(offMore, 0)
		return i
	}
	if c.made%perSegment == 0 {
		c.segments = append(c.segments, make([]cell, min(perSegment, c.most-c.made)))
	}
	c.made++
	return uint32(c.made)
}

// cellsFor is how many cells a record of n bytes takes whose data starts at
// head in the first one.
func cellsFor(head, n int) int {
	const rest = cellSize - offRest
	return 1 + (max(0, n-(cellSize-head))+rest-1)/rest
}

// write makes a record of data, for which there must be room.
func (c *cells) write(head int, data []byte) uint32 {
	first := c.take()
	at := c.at(first)
	data = data[copy(at[head:], data):]
	for len(data) > 0 {
		next := c.take()
		at.set(offMore, next)
		at = c.at(next)
		data = data[copy(at[offRest:], data):]
	}
	return first
}

// read appends the n bytes of record i to dst.
func (c *cells) read(dst []byte, i uint32, head, n int) []byte {
	for {
		at := c.at(i)
		part := at[head:min(cellSize, head+n)]
		dst = append(dst, part...)
		if n -= len(part); n == 0 {
			return dst
		}
		i, head = at.get(offMore), offRest
	}
}

// holds reports whether record i has exactly data, which is as long as it is.
func (c *cells) holds(i uint32, head int, data []byte) bool {
	for {
		at := c.at(i)
		part := at[head:min(cellSize, head+len(data))]
		if !bytes.Equal(part, data[:len(part)]) {
			return false
		}
		if data = data[len(part):]; len(data) == 0 {
			return true
		}
		i, head = at.get(offMore), offRest
	}
}

// release wipes the cells of record i and frees them.
func (c *cells) release(i uint32) {
	for i != 0 {
		at := c.at(i)
		next := at.get(offMore)
		clear(at[:])
		at.set(offMore, c.free)
		c.free = i
		c.used--
		i = next
	}
}
