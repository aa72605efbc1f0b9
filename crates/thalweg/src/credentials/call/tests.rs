//! What call credentials are told of a call.

use super::*;

fn url(authority: &str, method: &str) -> String {
    CallContext { authority, method }.service_url()
}

#[test]
fn the_service_url_names_host_and_service_and_a_port_that_is_not_443() {
    assert_eq!(url("greeter.example.com", "/pkg.Greeter/SayHello"), "https://greeter.example.com/pkg.Greeter");
    assert_eq!(url("greeter.example.com:443", "/pkg.Greeter/SayHello"), "https://greeter.example.com/pkg.Greeter");
    assert_eq!(
        url("greeter.example.com:8443", "/pkg.Greeter/SayHello"),
        "https://greeter.example.com:8443/pkg.Greeter"
    );
    assert_eq!(url("[::1]:443", "/pkg.Greeter/SayHello"), "https://[::1]/pkg.Greeter");
}

#[derive(Debug)]
struct Nothing;

impl CallCredentials for Nothing {
    fn metadata<'a>(&'a self, _: CallContext<'a>) -> BoxFuture<'a, Result<MetadataMap, Status>> {
        Box::pin(async { Ok(MetadataMap::new()) })
    }
}

#[test]
fn credentials_need_a_secure_connection_unless_told_otherwise() {
    assert!(Nothing.require_security());
    assert!(Arc::new(Nothing).require_security());
    assert!(!AllowInsecure(Nothing).require_security());
    assert!(!Arc::new(AllowInsecure(Nothing)).require_security());
}
