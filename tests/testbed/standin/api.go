package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configdiff"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const bootIDPath = "/proc/sys/kernel/random/boot_id"

// machined is the node's MachineService.
type machined struct {
	machine.UnimplementedMachineServiceServer
	n *node
}

// locked holds the cluster while a handler looks at it or changes it.
func (m machined) locked() (*node, func()) {
	m.n.c.mu.Lock()
	return m.n, m.n.c.mu.Unlock
}

func (m machined) controlPlaneOnly(what string) error {
	if !m.n.controlPlane() {
		return status.Errorf(codes.Unimplemented, "%s is only available on control plane nodes", what)
	}
	return nil
}

func (m machined) Version(context.Context, *emptypb.Empty) (*machine.VersionResponse, error) {
	n, unlock := m.locked()
	defer unlock()
	if n.phase == maintenance {
		return nil, status.Error(codes.Unimplemented, "API is not implemented in maintenance mode")
	}
	return &machine.VersionResponse{Messages: []*machine.Version{{
		Version:  &machine.VersionInfo{Tag: n.c.version, Os: "linux", Arch: "amd64"},
		Platform: &machine.PlatformInfo{Name: "metal", Mode: "metal"},
		Features: &machine.FeaturesInfo{Rbac: true},
	}}}, nil
}

type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return true }
func (metal) InContainer() bool     { return false }

func (m machined) ApplyConfiguration(_ context.Context, in *machine.ApplyConfigurationRequest) (*machine.ApplyConfigurationResponse, error) {
	n, unlock := m.locked()
	defer unlock()
	if n.phase == maintenance {
		return n.applyInMaintenance(in)
	}
	cfg, err := configloader.NewFromBytes(in.GetData())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if cfg.RawV1Alpha1() == nil {
		return nil, status.Error(codes.InvalidArgument, "the applied machine configuration doesn't contain v1alpha1 config, did you mean to patch the machine config instead?")
	}
	warnings, err := cfg.Validate(metal{})
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	mode, text := in.Mode, "Applied configuration without a reboot"
	switch mode {
	case machine.ApplyConfigurationRequest_AUTO:
		mode = machine.ApplyConfigurationRequest_NO_REBOOT
	case machine.ApplyConfigurationRequest_REBOOT:
		text = "Applied configuration with a reboot"
	case machine.ApplyConfigurationRequest_STAGED:
		text = "Staged configuration to be applied after the next reboot"
	}
	if in.DryRun {
		diff, err := configdiff.DiffToString(n.config, cfg)
		if err != nil {
			return nil, fmt.Errorf("failed to generate diff: %w", err)
		}
		if diff == "" {
			diff = "No changes."
		}
		return applied(mode, fmt.Sprintf("Dry run summary:\n%s (skipped in dry-run).\nConfig diff:\n\n%s", text, diff), nil), nil
	}
	n.change(cfg, mode)
	return applied(mode, text, warnings), nil
}

// change takes over a new configuration of a node that has one. A staged one is on disk only, but
// nothing here reads it before the reboot, so that it may as well be there at once.
func (n *node) change(cfg config.Provider, mode machine.ApplyConfigurationRequest_Mode) {
	old := n.config
	n.config = cfg
	oldCA, newCA := old.Machine().Security().IssuingCA(), cfg.Machine().Security().IssuingCA()
	switch {
	case mode == machine.ApplyConfigurationRequest_REBOOT:
		n.later(n.restart)
	case oldCA != nil && newCA != nil && !bytes.Equal(oldCA.Crt, newCA.Crt):
		n.later(n.stopServer) // it comes back with the new certificate
	}
}

func (n *node) applyInMaintenance(in *machine.ApplyConfigurationRequest) (*machine.ApplyConfigurationResponse, error) {
	switch in.Mode {
	case machine.ApplyConfigurationRequest_AUTO, machine.ApplyConfigurationRequest_REBOOT, machine.ApplyConfigurationRequest_TRY:
	default:
		return nil, status.Errorf(codes.Unimplemented, "apply configuration --mode='%s' is not supported in maintenance mode",
			strings.ReplaceAll(strings.ToLower(in.Mode.String()), "_", "-"))
	}
	cfg, err := configloader.NewFromBytes(in.GetData())
	if err != nil {
		return nil, fmt.Errorf("failed to parse config: %w", err) // Unknown, as in life
	}
	warnings, err := cfg.Validate(metal{})
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "configuration validation failed: %s", err)
	}
	if in.DryRun {
		return applied(0, "Dry run summary:\nNode is running in maintenance mode and does not have a config yet.", warnings), nil
	}
	n.configure(cfg)
	return applied(0, "", warnings), nil
}

func applied(mode machine.ApplyConfigurationRequest_Mode, text string, warnings []string) *machine.ApplyConfigurationResponse {
	return &machine.ApplyConfigurationResponse{Messages: []*machine.ApplyConfiguration{{Mode: mode, ModeDetails: text, Warnings: warnings}}}
}

func (m machined) Bootstrap(_ context.Context, in *machine.BootstrapRequest) (*machine.BootstrapResponse, error) {
	n, unlock := m.locked()
	defer unlock()
	switch now := time.Now(); {
	case !n.criUp(now):
		return nil, status.Error(codes.FailedPrecondition, "bootstrap is not available yet")
	case !n.controlPlane():
		return nil, status.Error(codes.FailedPrecondition, "bootstrap can only be performed on a control plane node")
	case n.etcd != nil:
		return nil, status.Error(codes.AlreadyExists, "etcd data directory is not empty")
	case in.RecoverEtcd && !n.snapshot:
		return nil, status.Error(codes.FailedPrecondition, "there is no snapshot to recover from")
	default:
		n.etcdID = n.c.newID()
		own := &member{id: n.etcdID, node: n, hostname: n.hostname()}
		n.etcd = &etcdCluster{id: n.c.newID(), members: []*member{own}, recovered: in.RecoverEtcd}
		n.etcdUpAt = now.Add(n.c.etcdStart)
	}
	return &machine.BootstrapResponse{Messages: []*machine.Bootstrap{{}}}, nil
}

func (m machined) Reboot(context.Context, *machine.RebootRequest) (*machine.RebootResponse, error) {
	n, unlock := m.locked()
	defer unlock()
	n.later(n.restart)
	return &machine.RebootResponse{Messages: []*machine.Reboot{{ActorId: randomUUID()}}}, nil
}

func (m machined) Reset(_ context.Context, in *machine.ResetRequest) (*machine.ResetResponse, error) {
	n, unlock := m.locked()
	defer unlock()
	state, ephemeral := false, false
	for _, partition := range in.GetSystemPartitionsToWipe() {
		switch partition.Label {
		case "STATE":
			state = partition.Wipe
		case "EPHEMERAL":
			ephemeral = partition.Wipe
		case "META":
		default:
			return nil, fmt.Errorf("failed to get volume status with label %q: resource VolumeStatuses.block.talos.dev(runtime/%s) doesn't exist", partition.Label, partition.Label)
		}
	}
	disk := len(in.GetSystemPartitionsToWipe()) == 0
	n.later(func() {
		if in.Graceful && n.etcd != nil {
			if !n.etcdHealthy(time.Now()) {
				return // leaving etcd fails without quorum, and with it the reset
			}
			n.etcd.remove(n)
		}
		n.enter(resetting, 300*time.Millisecond, func() {
			n.stopServer()
			n.wipe(state, ephemeral, disk, in.Reboot)
		})
	})
	return &machine.ResetResponse{Messages: []*machine.Reset{{ActorId: randomUUID()}}}, nil
}

func (m machined) ServiceList(context.Context, *emptypb.Empty) (*machine.ServiceListResponse, error) {
	n, unlock := m.locked()
	defer unlock()
	if n.phase == maintenance {
		return nil, status.Error(codes.Unimplemented, "method ServiceList not implemented")
	}
	list := &machine.ServiceList{}
	for _, s := range n.services(time.Now()) {
		info := &machine.ServiceInfo{Id: s.name, State: s.state(), Events: &machine.ServiceEvents{},
			Health: &machine.ServiceHealth{Unknown: s.state() != "Running", Healthy: s.healthy, LastChange: timestamppb.New(n.bootedAt)}}
		for _, e := range s.events {
			info.Events.Events = append(info.Events.Events, &machine.ServiceEvent{Msg: e.message, State: e.state, Ts: timestamppb.New(e.at)})
		}
		list.Services = append(list.Services, info)
	}
	return &machine.ServiceListResponse{Messages: []*machine.ServiceList{list}}, nil
}

func (m machined) EtcdMemberList(_ context.Context, in *machine.EtcdMemberListRequest) (*machine.EtcdMemberListResponse, error) {
	n, unlock := m.locked()
	defer unlock()
	if err := m.controlPlaneOnly("member list"); err != nil {
		return nil, err
	}
	now := time.Now()
	e := n.etcd
	if !n.etcdRunning(now) {
		if e = n.c.livingEtcd(n, now); e == nil || in.QueryLocal {
			return nil, noEtcd("")
		}
	}
	if !e.quorum(now) {
		return nil, status.Error(codes.Unavailable, "etcdserver: no leader")
	}
	list := &machine.EtcdMembers{}
	for _, o := range e.members {
		list.LegacyMembers = append(list.LegacyMembers, o.hostname)
		list.Members = append(list.Members, &machine.EtcdMember{
			Id: o.id, Hostname: o.hostname, IsLearner: o.learner,
			PeerUrls:   []string{"https://" + o.node.address + ":2380"},
			ClientUrls: []string{"https://" + o.node.address + ":2379"},
		})
	}
	return &machine.EtcdMemberListResponse{Messages: []*machine.EtcdMembers{list}}, nil
}

func (m machined) EtcdStatus(context.Context, *emptypb.Empty) (*machine.EtcdStatusResponse, error) {
	n, unlock := m.locked()
	defer unlock()
	if err := m.controlPlaneOnly("etcd status"); err != nil {
		return nil, err
	}
	now := time.Now()
	if !n.etcdRunning(now) {
		return nil, noEtcd("failed to query etcd status: ")
	}
	own := n.member()
	s := &machine.EtcdMemberStatus{MemberId: n.etcdID, ProtocolVersion: "3.6.5", StorageVersion: "3.6.0", DbSize: 4 << 20, DbSizeInUse: 2 << 20,
		Leader: n.etcd.leader(now), RaftIndex: 100, RaftTerm: 2, RaftAppliedIndex: 100, IsLearner: own != nil && own.learner}
	if !n.etcd.quorum(now) {
		s.Leader, s.Errors = 0, []string{"etcdserver: no leader"}
	}
	return &machine.EtcdStatusResponse{Messages: []*machine.EtcdStatus{{MemberStatus: s}}}, nil
}

func noEtcd(prefix string) error {
	return status.Error(codes.Unavailable, prefix+`connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:2379: connect: connection refused"`)
}

func (m machined) Read(in *machine.ReadRequest, s machine.MachineService_ReadServer) error {
	n, unlock := m.locked()
	id := n.bootID
	unlock()
	if in.Path != bootIDPath {
		return status.Errorf(codes.NotFound, "stat %s: no such file or directory", in.Path)
	}
	return s.Send(&common.Data{Bytes: []byte(id + "\n")})
}

func (m machined) Kubeconfig(_ *emptypb.Empty, s machine.MachineService_KubeconfigServer) error {
	n, unlock := m.locked()
	err := m.controlPlaneOnly("kubeconfig")
	unlock()
	if err != nil {
		return err
	}
	data, err := os.ReadFile(n.c.kubeconfig)
	if err != nil {
		return err
	}
	var buffer bytes.Buffer
	zw := gzip.NewWriter(&buffer)
	tw := tar.NewWriter(zw)
	must(tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "kubeconfig", Size: int64(len(data)), ModTime: time.Now(), Mode: 0o600}))
	_, err = tw.Write(data)
	must(err)
	must(tw.Close())
	must(zw.Close())
	return s.Send(&common.Data{Bytes: buffer.Bytes()})
}
