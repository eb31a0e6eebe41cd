package main

import (
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"time"
)

// door is one address on which the Kubernetes API can be reached: a node's own, or the virtual one.
// It is open while the node that answers on it has a healthy etcd and there is an API server at all.
type door struct {
	address string
	owner   *node // of an open door

	mu          sync.Mutex
	listener    net.Listener
	connections map[net.Conn]bool
}

// openDoors keeps the doors as the nodes are, for ever.
func (c *cluster) openDoors(target, virtual string) {
	doors := []*door{}
	for _, n := range c.nodes {
		doors = append(doors, &door{address: n.address + ":6443"})
	}
	if virtual != "" {
		doors = append(doors, &door{address: virtual + ":6443"})
	}
	for ; ; time.Sleep(100 * time.Millisecond) {
		serving := c.serving(target)
		for i, d := range doors {
			var owner *node
			switch {
			case i < len(c.nodes) && slices.Contains(serving, c.nodes[i]):
				owner = c.nodes[i]
			case i == len(c.nodes) && d.owner != nil && slices.Contains(serving, d.owner):
				owner = d.owner
			case i == len(c.nodes) && len(serving) > 0:
				owner = serving[0]
			}
			d.move(owner, target)
		}
	}
}

// serving are the nodes on which an API server would run and have its etcd.
func (c *cluster) serving(target string) []*node {
	probe, err := net.DialTimeout("tcp", target, time.Second)
	if err != nil {
		return nil
	}
	_ = probe.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	var nodes []*node
	now := time.Now()
	for _, n := range c.nodes {
		if m := n.member(); m != nil && !m.learner && n.etcdHealthy(now) {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// move closes the door and cuts its connections, unless it has this owner already; then opens it.
func (d *door) move(owner *node, target string) {
	if d.owner == owner {
		return
	}
	d.close()
	if owner == nil {
		return
	}
	listener, err := net.Listen("tcp", d.address)
	if err != nil {
		log.Print(err)
		return
	}
	d.owner, d.listener, d.connections = owner, listener, map[net.Conn]bool{}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go d.carry(connection, target)
		}
	}()
}

func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener != nil {
		_ = d.listener.Close()
	}
	for connection := range d.connections {
		_ = connection.Close()
	}
	d.owner, d.listener, d.connections = nil, nil, nil
}

func (d *door) carry(near net.Conn, target string) {
	defer near.Close()
	far, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer far.Close()
	d.mu.Lock()
	open := d.connections
	if open != nil {
		open[near] = true
	}
	d.mu.Unlock()
	if open == nil {
		return
	}
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			done <- struct{}{}
		}()
	}
	<-done
	d.mu.Lock()
	delete(open, near)
	d.mu.Unlock()
}
