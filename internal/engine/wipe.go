package engine

// WipeIn clears what the In half reads with. Nothing more can be opened.
func (e *Engine) WipeIn() {
	e.in.half.Wipe()
}

// WipeOut clears what the Out half writes with, and the keys that wait for it.
// Nothing is sent any more.
func (e *Engine) WipeOut() {
	o := &e.out
	o.half.Wipe()
	o.closed = true
	e.control.wipe()
}

// wipe drops what waits, its keys cleared.
func (c *control) wipe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range c.items {
		i.wipe()
	}
	clear(c.items)
	c.items, c.closed = nil, true
}

// wipe clears the keys of i, if it has any.
func (i *item) wipe() {
	if i.keys != nil {
		clear(i.keys.Key)
		clear(i.keys.IV)
		clear(i.keys.MAC)
		clear(i.keys.Secret)
	}
}
