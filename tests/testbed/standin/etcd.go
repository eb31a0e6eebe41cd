package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

const chunk = 1 << 20

// EtcdSnapshot sends the real etcd's database as a member would, with a leader or without: whole pages, and their hash.
func (m machined) EtcdSnapshot(_ *machine.EtcdSnapshotRequest, s machine.MachineService_EtcdSnapshotServer) error {
	n, unlock := m.locked()
	err := m.controlPlaneOnly("etcd snapshot")
	running := n.etcdRunning(time.Now())
	unlock()
	if err != nil {
		return err
	}
	if !running {
		return noEtcd("failed reading etcd snapshot: ")
	}
	data, err := os.ReadFile(n.c.database)
	if err != nil {
		return fmt.Errorf("failed reading etcd snapshot: %w", err)
	}
	sum := sha256.Sum256(data)
	for data = append(data, sum[:]...); len(data) > 0; data = data[min(chunk, len(data)):] {
		if err := s.Send(&common.Data{Bytes: data[:min(chunk, len(data))]}); err != nil {
			return err
		}
	}
	return nil
}

// EtcdRecover takes a snapshot for the next Bootstrap of this boot.
func (m machined) EtcdRecover(s machine.MachineService_EtcdRecoverServer) error {
	hash, size := sha256.New(), 0
	for {
		part, err := s.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		size += len(part.Bytes)
		_, _ = hash.Write(part.Bytes)
	}
	n, unlock := m.locked()
	defer unlock()
	err := m.controlPlaneOnly("etcd recover")
	if err == nil && !n.criUp(time.Now()) {
		err = status.Error(codes.FailedPrecondition, "etcd service is not ready for recovery yet")
	}
	n.c.calls.add(call{
		Time: time.Now().UTC(), Node: n.name, Method: "EtcdRecover", Code: status.Code(err).String(),
		Message: status.Convert(err).Message(), Details: map[string]any{"sha256": fmt.Sprintf("%x", hash.Sum(nil)), "bytes": size},
	})
	if err != nil {
		return err
	}
	n.snapshot = true
	return s.SendAndClose(&machine.EtcdRecoverResponse{Messages: []*machine.EtcdRecover{{}}})
}

// EtcdAlarmList goes through raft, so it needs a leader.
func (m machined) EtcdAlarmList(context.Context, *emptypb.Empty) (*machine.EtcdAlarmListResponse, error) {
	n, unlock := m.locked()
	defer unlock()
	if err := m.controlPlaneOnly("etcd alarm list"); err != nil {
		return nil, err
	}
	if !n.etcdHealthy(time.Now()) {
		return nil, status.Error(codes.Unavailable, "etcdserver: no leader")
	}
	list := &machine.EtcdAlarm{}
	for _, o := range n.etcd.members {
		if o.noSpace {
			list.MemberAlarms = append(list.MemberAlarms, &machine.EtcdMemberAlarm{
				MemberId: o.id, Alarm: machine.EtcdMemberAlarm_NOSPACE,
			})
		}
	}
	return &machine.EtcdAlarmListResponse{Messages: []*machine.EtcdAlarm{list}}, nil
}

// EtcdRemoveMemberByID refuses what etcd would: an unknown id, and a removal that leaves no quorum.
func (m machined) EtcdRemoveMemberByID(_ context.Context, in *machine.EtcdRemoveMemberByIDRequest) (*machine.EtcdRemoveMemberByIDResponse, error) {
	n, unlock := m.locked()
	defer unlock()
	if err := m.controlPlaneOnly("etcd remove member"); err != nil {
		return nil, err
	}
	now := time.Now()
	e := n.etcd
	if !n.etcdHealthy(now) {
		return nil, status.Error(codes.Unavailable, "etcdserver: no leader")
	}
	gone := (*member)(nil)
	for _, o := range e.members {
		if o.id == in.MemberId {
			gone = o
		}
	}
	if gone == nil {
		return nil, status.Error(codes.NotFound, "etcdserver: member not found")
	}
	rest := &etcdCluster{id: e.id}
	for _, o := range e.members {
		if o != gone {
			rest.members = append(rest.members, o)
		}
	}
	if !e.quorumOf(rest.members, now) {
		return nil, errors.New("failed to remove member: etcdserver: re-configuration failed due to not enough started members")
	}
	e.members = rest.members
	return &machine.EtcdRemoveMemberByIDResponse{Messages: []*machine.EtcdRemoveMemberByID{{}}}, nil
}
