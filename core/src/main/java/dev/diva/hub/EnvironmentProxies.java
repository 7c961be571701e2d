package dev.diva.hub;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Proxies as other command-line programs take them from the environment: {@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code NO_PROXY}. */
final class EnvironmentProxies extends ProxySelector {
    private final Map<String, String> environment;

    EnvironmentProxies(Map<String, String> environment) {
        this.environment = environment;
    }

    private String value(String name) {
        return environment.getOrDefault(name.toLowerCase(Locale.ROOT), environment.getOrDefault(name, ""));
    }

    @Override
    public List<Proxy> select(URI uri) {
        String given = value(uri.getScheme().toUpperCase(Locale.ROOT) + "_PROXY");
        String text = given.isBlank() ? value("ALL_PROXY") : given;
        if (text.isBlank() || isExcepted(uri.getHost())) {
            return List.of(Proxy.NO_PROXY);
        }
        URI proxy = URI.create(text.contains("://") ? text : "http://" + text);
        int port = proxy.getPort() < 0 ? 80 : proxy.getPort();
        return List.of(new Proxy(Proxy.Type.HTTP, new InetSocketAddress(proxy.getHost(), port)));
    }

    /** This machine itself, and what {@code NO_PROXY} names. */
    private boolean isExcepted(String host) {
        if (host.matches("localhost|127\\..*|\\[::1]")) {
            return true;
        }
        for (String entry : value("NO_PROXY").split(",")) {
            String name = entry.strip().replaceFirst("^\\*?\\.", "").replaceFirst(":\\d+$", "");
            if (!name.isEmpty() && (name.equals("*") || host.equals(name) || host.endsWith("." + name))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException failure) {
        // the request itself fails with the reason
    }
}
