import com.sun.net.httpserver.*;
import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.security.KeyStore;
import java.util.concurrent.Executors;
import javax.net.ssl.*;

/** An HTTPS server: Serve PORT FILE.p12 PROTOCOLS SUITES ORDER CLIENT, where "-" is what Java has by itself. */
class Serve {
  public static void main(String[] args) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(Path.of(args[1]))) {
      store.load(in, "x".toCharArray());
    }
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, "x".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    HttpsServer server = HttpsServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 100);
    server.setHttpsConfigurator(new HttpsConfigurator(context) {
      @Override
      public void configure(HttpsParameters to) {
        SSLParameters p = context.getDefaultSSLParameters();
        if (!args[2].equals("-")) p.setProtocols(args[2].split(","));
        if (!args[3].equals("-")) p.setCipherSuites(args[3].split(","));
        p.setUseCipherSuitesOrder(args[4].equals("server"));
        p.setNeedClientAuth(args[5].equals("need"));
        to.setSSLParameters(p);
      }
    });
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", exchange -> {
      exchange.sendResponseHeaders(204, -1);
      exchange.close();
    });
    server.start();
    System.out.println("ready");
  }
}
