package engine

// WipeIn clears what the In half reads with. Nothing more can be opened.
func (e *Engine) WipeIn() {
	e.in.half.Wipe()
	e.in.drop()
	e.in.sleep()
}

// WipeOut clears what the Out half writes with, and the keys that wait for it.
// Nothing is sent any more.
func (e *Engine) WipeOut() {
	o := &e.out
	o.half.Wipe()
	o.closed = true
	o.drop()
	e.control.wipe()
}

// wipe drops what waits, its keys cleared.
func (c *control) wipe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.todo != nil {
		for _, i := range c.todo.items {
			i.wipe()
		}
		clear(c.todo.items)
	}
	c.todo = nil
	c.state.Or(shut)
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
