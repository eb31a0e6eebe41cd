package main

import (
	"bytes"
	"context"
	"crypto/tls"
	stdx509 "crypto/x509"
	"errors"
	"log"
	"net"
	"regexp"
	"strings"
	"time"

	cosiv1alpha1 "github.com/cosi-project/runtime/api/v1alpha1"
	"github.com/cosi-project/runtime/pkg/state"
	cosiserver "github.com/cosi-project/runtime/pkg/state/protobuf/server"
	"github.com/siderolabs/crypto/x509"
	"github.com/siderolabs/grpc-proxy/proxy"
	"github.com/siderolabs/talos/pkg/machinery/api/common"
	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/role"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

const (
	roleKey   = "talos-role"
	proxyFrom = "proxyfrom"
)

// server is a node's API while it is up: apid, which speaks TLS and routes, before machined, which answers.
type server struct {
	listener       net.Listener
	apid, machined *grpc.Server
	local          *grpc.ClientConn
}

// serve opens the API of a node that should have one and has none yet.
func (n *node) serve() {
	if n.server != nil || n.phase != maintenance && n.phase != up {
		return
	}
	serverTLS, clientTLS, err := n.certificates()
	if err != nil {
		return // a worker's API stays closed until a control plane issues its certificate
	}
	listener, err := net.Listen("tcp", n.address+":50000")
	if err != nil {
		log.Printf("%s: %v", n.name, err)
		return
	}
	inner := bufconn.Listen(1 << 20)
	m := grpc.NewServer(grpc.UnaryInterceptor(n.unary), grpc.StreamInterceptor(n.stream))
	machine.RegisterMachineServiceServer(m, machined{n: n})
	cosiv1alpha1.RegisterStateServer(m, cosiserver.NewState(state.WrapCore(readOnly(n.resources))))
	local, err := grpc.NewClient("passthrough:///machined", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return inner.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(proxy.Codec())))
	must(err)
	a := grpc.NewServer(grpc.Creds(credentials.NewTLS(serverTLS)), grpc.ForceServerCodecV2(proxy.Codec()),
		grpc.UnknownServiceHandler(proxy.TransparentHandler(director(local, clientTLS), proxy.WithStreamedDetector(streamed.MatchString))))
	go func() { _ = m.Serve(inner) }()
	go func() { _ = a.Serve(listener) }()
	n.server = &server{listener, a, m, local}
}

// stopServer closes the port at once and cuts the connections behind it.
func (n *node) stopServer() {
	s := n.server
	if s == nil {
		return
	}
	n.server = nil
	_ = s.listener.Close()
	go func() {
		s.apid.Stop()
		s.machined.Stop()
		_ = s.local.Close()
	}()
}

// certificates are what apid serves with and, once configured, calls other nodes with.
func (n *node) certificates() (*tls.Config, *tls.Config, error) {
	options := []x509.Option{x509.IPAddresses([]net.IP{net.ParseIP(n.address)}), x509.NotAfter(time.Now().Add(24 * time.Hour)), x509.CommonName(n.name)}
	if n.phase == maintenance {
		ca, err := x509.NewSelfSignedCertificateAuthority(x509.ECDSA(true), x509.Organization("maintenance"))
		must(err)
		pair, err := x509.NewKeyPair(ca, options...)
		must(err)
		return &tls.Config{Certificates: []tls.Certificate{*pair.Certificate}, ClientAuth: tls.NoClientCert, MinVersion: tls.VersionTLS12}, nil, nil
	}
	issuer := n.issuer()
	if issuer == nil {
		return nil, nil, errors.New("no control plane node issues a certificate")
	}
	ca, err := x509.NewCertificateAuthorityFromCertificateAndKey(issuer)
	if err != nil {
		return nil, nil, err
	}
	pair, err := x509.NewKeyPair(ca, append(options, x509.Organization(string(role.Impersonator)),
		x509.ExtKeyUsage([]stdx509.ExtKeyUsage{stdx509.ExtKeyUsageServerAuth, stdx509.ExtKeyUsageClientAuth}))...)
	if err != nil {
		return nil, nil, err
	}
	pool := stdx509.NewCertPool()
	pool.AppendCertsFromPEM(issuer.Crt)
	certificate := []tls.Certificate{*pair.Certificate}
	return &tls.Config{Certificates: certificate, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS13},
		&tls.Config{Certificates: certificate, RootCAs: pool, MinVersion: tls.VersionTLS13}, nil
}

// issuer is the CA with its key: a control plane has its own, a worker asks one that is up.
func (n *node) issuer() *x509.PEMEncodedCertificateAndKey {
	security := n.config.Machine().Security()
	accepted := security.AcceptedCAs()
	if own := security.IssuingCA(); own != nil {
		if len(own.Key) > 0 {
			return own
		}
		accepted = append(accepted, &x509.PEMEncodedCertificate{Crt: own.Crt})
	}
	for _, o := range n.c.nodes {
		if o.phase != up || !o.controlPlane() {
			continue
		}
		theirs := o.config.Machine().Security().IssuingCA()
		for _, ca := range accepted {
			if theirs != nil && bytes.Equal(theirs.Crt, ca.Crt) {
				return theirs
			}
		}
	}
	return nil
}

var streamed = regexp.MustCompile(`/(Kubeconfig|Copy|Events|Dmesg|Logs|Read|List|EtcdSnapshot|EtcdRecover)$`)

// director sends a call to this node's machined or to another node's apid, as Talos' own does.
func director(local *grpc.ClientConn, clientTLS *tls.Config) proxy.StreamDirector {
	here := &backend{connect: func() (*grpc.ClientConn, error) { return local, nil }}
	remote := func(target string) *backend {
		return &backend{target: target, connect: func() (*grpc.ClientConn, error) {
			return grpc.NewClient(target+":50000", grpc.WithTransportCredentials(credentials.NewTLS(clientTLS)),
				grpc.WithDefaultCallOptions(grpc.ForceCodecV2(proxy.Codec())))
		}}
	}
	return func(ctx context.Context, method string) (proxy.Mode, []proxy.Backend, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		if clientTLS == nil || len(md[proxyFrom]) > 0 {
			return proxy.One2One, []proxy.Backend{here}, nil
		}
		if targets := md["nodes"]; len(targets) > 0 {
			if strings.HasPrefix(method, "/cosi.") {
				return proxy.One2One, nil, status.Error(codes.InvalidArgument, "one-2-many proxying is not supported for COSI methods")
			}
			var backends []proxy.Backend
			for _, target := range targets {
				backends = append(backends, remote(target))
			}
			return proxy.One2Many, backends, nil
		}
		if target := md["node"]; len(target) > 0 {
			return proxy.One2One, []proxy.Backend{remote(target[0])}, nil
		}
		return proxy.One2One, []proxy.Backend{here}, nil
	}
}

// backend is one destination of a call; an empty target is this node.
type backend struct {
	target  string
	connect func() (*grpc.ClientConn, error)
}

func (b *backend) String() string { return b.target }

func (b *backend) GetConnection(ctx context.Context, _ string) (context.Context, *grpc.ClientConn, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	out := md.Copy()
	for _, key := range []string{":authority", "nodes", "node", roleKey} {
		delete(out, key)
	}
	out.Set(proxyFrom, "standin")
	out.Set(roleKey, roles(ctx, md)...)
	conn, err := b.connect()
	return metadata.NewOutgoingContext(ctx, out), conn, err
}

// roles are the organizations of the caller's certificate; another apid hands on its own caller's.
func roles(ctx context.Context, md metadata.MD) []string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.PeerCertificates) == 0 {
		return []string{string(role.Reader)}
	}
	organizations := info.State.PeerCertificates[0].Subject.Organization
	for _, o := range organizations {
		if o == string(role.Impersonator) && len(md.Get(roleKey)) > 0 {
			return md.Get(roleKey)
		}
	}
	return organizations
}

// AppendInfo puts the node's name into its part of a one-to-many answer.
func (b *backend) AppendInfo(streaming bool, response []byte) ([]byte, error) {
	payload, err := proto.Marshal(&common.Empty{Metadata: &common.Metadata{Hostname: b.target}})
	if err != nil || streaming {
		return append(response, payload...), err
	}
	number, kind, length := protowire.ConsumeTag(response)
	if length < 0 || number != 1 || kind != protowire.BytesType {
		return nil, errors.New("unexpected shape of a response")
	}
	body, _ := protowire.ConsumeBytes(response[length:])
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), append(append([]byte{}, body...), payload...)), nil
}

// BuildError is a node's part of a one-to-many answer when its call failed.
func (b *backend) BuildError(streaming bool, err error) ([]byte, error) {
	e := &common.Empty{Metadata: &common.Metadata{Hostname: b.target, Error: err.Error(), Status: status.Convert(err).Proto()}}
	if streaming {
		return proto.Marshal(e)
	}
	return proto.Marshal(&common.EmptyResponse{Messages: []*common.Empty{e}})
}
