//! Two instances of each service on a real broker, and a client of each instance.

use patron_proto::acquisition::v1::prospect_service_client::ProspectServiceClient;
use patron_proto::retention::v1::customer_service_client::CustomerServiceClient;
use testkit::{Pair, Service};
use tonic::transport::Channel;

pub(crate) type Prospects = ProspectServiceClient<Channel>;
pub(crate) type Customers = CustomerServiceClient<Channel>;

/// The pair and its clients, in the order of the instances.
pub(crate) async fn two_of_each() -> (Pair, Vec<Prospects>, Vec<Customers>) {
    let pair = Pair::start(env!("CARGO_BIN_EXE_patron").as_ref(), 1, 2);
    let pair = pair.await.unwrap();
    let mut prospects = Vec::new();
    for url in pair.urls(Service::Acquisition) {
        prospects.push(Prospects::connect(url).await.unwrap());
    }
    let mut customers = Vec::new();
    for url in pair.urls(Service::Retention) {
        customers.push(Customers::connect(url).await.unwrap());
    }
    (pair, prospects, customers)
}

/// A new one.
pub(crate) fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
