//! TLS in front of a stand-in, with a CA of its own.

use std::net::Ipv4Addr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A door to a plain address; dropping it closes it.
pub struct Door {
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// The certificate of the CA.
    pub pem: String,
    _tasks: JoinSet<()>,
}

impl Door {
    /// Opens a door to `inside`, which is `127.0.0.1:PORT`.
    pub async fn open(inside: String) -> Self {
        let mut ca = CertificateParams::default();
        // The same name as the leaf's would make the leaf look self-signed.
        ca.distinguished_name.push(DnType::CommonName, "throw-away");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        leaf.use_authority_key_identifier_extension = true;
        let leaf = leaf.signed_by(&key, &ca).unwrap();
        let secret = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], secret)
            .unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), inside));
        Self { address, pem: ca.pem(), _tasks: tasks }
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, inside: String) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let (acceptor, inside) = (acceptor.clone(), inside.clone());
        connections.spawn(async move {
            let Ok(mut outer) = acceptor.accept(socket).await else { return };
            let Ok(mut inner) = TcpStream::connect(inside).await else { return };
            // How a connection ends is its ends' affair.
            let _ = copy_bidirectional(&mut outer, &mut inner).await;
        });
    }
}
